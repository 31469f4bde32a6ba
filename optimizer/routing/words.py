"""English words that mark kinds of work, as patterns; `classify` uses them."""

from __future__ import annotations

from collections.abc import Mapping

from optimizer.types import TaskKind

POLITE = (
    r"^(?:(?:hi|hello|hey|so|well|also)\b[ ,!.]+|(?:please|pls|plz)\b[ ,]*|kindly\b *|now\b[ ,]*|ok(?:ay)?\b[ ,]*"
    r"|let'?s\b *"
    r"|let us\b *"
    r"|(?:i|we)(?: would|'d) like (?:you )?to\b *|(?:i|we) (?:want|need) (?:you )?to\b *|(?:i|we) (?:have|wish) to\b *"
    r"|(?:can|could|would|will) (?:you|we)\b(?: please)? *|help me(?: to| with)?\b *|try to\b *|go and\b *)+"
)
WISH = r"^(?:(?:i|we)(?:'d| would)? )?(?:want|need|like|wish for)\b(?: (?:you|us) to\b)? *(?=\w)"
QUESTION = (
    r"^(?:what|why|how|where|when|which|who|whose|is|are|was|were|does|do|did|can|could|should|would|will|has"
    r"|(?:what|where|who|how|why|when)s|(?:is|are|was|were|should|would|could|has)n['’]?t"
    r"|have (?:i|we|you|they|the|any|all)"
    r"|in which|any idea|do you know|(?:i )?(?:don'?t|do not) understand)\b"
)
VERBS: Mapping[TaskKind, str] = {
    "debug": (
        r"fix|debug|diagnose|(?:have a |take a )?look (?:at|into)\b.{0,40}\b(?:issue|problem|bug|error|crash"
        r"|failure)s?"
        r"|solve|resolve|repair|investigate|track down|troubleshoot|find (?:and \w+ )?the (?:bug"
        r"|cause)"
        r"|find and fix|hunt down|reproduce|stop\b(?=.*\bfrom\b)|root[- ]cause"
        r"|(?:make|get)\b.{0,40}\b(?:pass|work|green)(?: again)?[.!]?$"
    ),
    "test": (
        r"tests?\b(?! (?:pass|fail|are|is|run|take|hang|break|do|time|in|on)\b)|cover|unit[- ]?tests?|(?:write|add"
        r"|create|generate|extend|improve|update|need|make)\b[^.]{0,40}"
        r"\b(?:tests?|specs?|test[- ]cases?)\b(?! (?:command|runner|data|server|mode|account|button|page|flag"
        r"|suite runner))"
        r"|(?:increase|raise|improve|bring|get|push)\b.{0,30}\bcoverage"
    ),
    "refactor": (
        "refactor|restructure|reorgani[sz]e|clean ?up|simplify|extract|split|inline|de-?duplicate|decouple"
        "|modulari[sz]e"
        "|move|merge|rewrite|tidy|untangle|flatten|unify|convert|migrate|port|moderni[sz]e|rename|name"
        r"|consolidate|factor out|rearrange|(?:pull|lift|carve|break|factor)\b.{0,40}\b(?:out|up|apart|into)\b"
        r"|make\b.{0,40}\b(?:smaller|simpler|shorter|cleaner|leaner|more (?:readable|modular|testable))\b"
        r"|turn\b.{1,60}\binto\b|get rid of (?:the |all |any )?(?:duplicat\w+|copies|dead code|boilerplate|globals?)"
        r"|replace\b.{0,40}\b(?:inheritance|loops?|callbacks?|nested|conditionals?|magic|globals?"
        r"|singletons?)\b.{0,20}\b(?:with|by)\b"
    ),
    "edit": (
        "add|implement|create|make|change|update|remove|delete|drop|replace|set|write|insert|support|allow|handle|use"
        r"|enable|disable|introduce|extend|append|build|cache|log|optimi[sz]e|speed\b.{0,20}\bup|validate|raise"
        "|return|document"
        "|annotate|type|format|generate|increase|decrease|reduce|bump|improve|correct|turn|wrap|let|ensure|expose"
        r"|switch|apply|edit|put|give\b(?! (?:me )?an? (?:\w+ )?(?:overview|summary|explanation|tour|example))|hide"
        r"|display|render|emit|send"
        "|accept|reject|ignore|skip|limit|restrict|require|store|save|load|sort|filter|paginate|translate|retry|escape"
        "|upgrade|downgrade|pin|parametri[sz]e|reword|comment|uncomment|print|get rid of|gets? (?:an?|some)|hook up"
        "|wire up|deprecate"
        "|adjust"
        r"|rework|throw|catch|encrypt|hash|lock|register|show an?\b|configure|default to|mark|expire|include"
        r"|exclude|calculate|compute"
        r"|start|stop|run|commit|embed|call|pass|prevent|avoid|block|count|track|trigger|wait|open|close|delay"
        r"|fetch|parse|upload|download"
        r"|export|import|integrate|connect|link|attach|preserve|keep|treat|define|declare|refresh|reset|restore"
        r"|bring back"
    ),
    "explain": (
        "explain|describe|summari[sz]e|tell|walk|outline|clarify|compare|review|show|find|understand|analy[sz]e"
        r"|look at|read|give (?:me )?an? (?:\w+ )?(?:overview|summary|explanation|tour|example)|trace|illustrate"
        "|interpret|elaborate|teach"
        "|what|list(?! comprehension)|help (?:me )?(?:to )?understand|suggest|recommend|check|audit|inspect|assess"
        "|visuali[sz]e|draw"
        r"|go through|(?:have|take) a look|diagram"
    ),
}
EMBEDDING = (
    r"^(?:(?:embed(?! .*\b(?:video|image|font|map|player|widget|page|site|app|footer|header|view|post)s?\b)"
    r"|vectori[sz]e)\b|(?:compute|generate|create|make|get|calculate|build|produce|turn|convert)\b.{0,60}"
    r"\b(?:embeddings?|embedding vectors?|vectors? (?:for|of|from))\b)"
)
GREETING = (
    r"^(?:hi|hello|hey|yo|good (?:morning|evening|afternoon|night|day)|greetings|thanks|thank you|thx|cheers|ok(?:ay)?"
    r"|cool|great|nice|perfect|bye|goodbye|ping|are you (?:there|ok|ready|awake)|how are you|what'?s up"
    r"|how'?s it going|who are you"
    r"|what can you do"
    r"|hallo|moin|guten (?:tag|morgen|abend)|grüße|danke|bonjour|salut|merci|hola|buenos d[ií]as|gracias|ciao|grazie"
    r"|olá|obrigad[oa]|привет|здравствуйте|спасибо|你好|谢谢|こんにちは|ありがとう)(?!\w)"
)
LONGEST_GREETING = 4  # words after the greeting
WELL_KNOWN = (
    r"^(?:what|how|which)\b(?:"
    r".{0,60}\b(?:default port|status code|exit code|keyboard shortcut|shortcut|syntax|command)\b (?:of|for|to|is"
    r"|in)\b"
    r"|(?:'s| is| are| does| do) \S+(?: \S+)? (?:mean|stand for|short for)\b"
    r"| (?:do|can|does) (?:i|you|one|people) .{0,60}"
    r"\b(?:vim|git|bash|zsh|tmux|emacs|ssh|docker|linux|sed|awk|grep|curl|npm|pip|regex)\b)"
)
OF_THIS_CODE = (
    r"\b(?:here|our|ours|this|these|we|my|code|repo(?:sitory)?|project|module|function|class|method|file)\b"
    r"|\w_\w|\w\(\)|\w\.\w{1,4}\b|[a-z][A-Z]"
)
_ASKED_FOR = r"(?:what(?:'s| is| are)|how (?:much|many) (?:is|are)|calculate|compute|evaluate|work out|reckon)"
_OPERATOR = (
    r"(?:[-+*/^×÷%=]+|\*\*|\bmod\b|\btimes\b|\bplus\b|\bminus\b|\bdivided by\b|% of\b|percent of\b"
    r"|\bto the power of\b)"
)
MATH = (
    rf"^(?:{_ASKED_FOR})? *[-(]*\d[\d.,)]* *{_OPERATOR} *[-(]*\d[\d.,()+*/^ %-]*[=?!.]*$"
    rf"|^(?:{_ASKED_FOR}|find|give me|prove|show)\b.{{0,20}}\b(?:derivative|integral|probability|factorial"
    rf"|square root|"
    r"cube root|logarithm|prime factors?|sum of|product of|average of|determinant|gcd|lcm|greatest common"
    r"|eigenvalues?|limit of)\b"
    r"(?!.*\b(?:function|method|class|column|field|list|order|in \w+\.\w+)s?\b)"
    r"|^(?:integrate|differentiate|derive) [^ ]*[\dx][^ ]*\b|^solve\b.*\d.*=|^(?:convert )0?[xb]?[\da-f]+ (?:to"
    r"|into) \w+"
    r"|^how (?:many|much) \w+ (?:are|is|fit|go)(?: there)?(?: in| into)? (?:an? |one |\d)"
    r"|^(?:sqrt|log|ln|sin|cos|tan|exp)\(?[\d(]"
)
_PIECES = (
    r"poems?|haikus?|limericks?|sonnets?|short stor(?:y|ies)|stor(?:y|ies) about|lyrics|songs?|jokes?|puns?|taglines?"
    r"|slogans?|mascots?|tweets?|fairy tales?|blog ?posts?|press releases?|headlines?|elevator pitch|toast|metaphors?"
    r"|names? for (?:this|the|our|an?|my) (?:\w+ )?(?:project|library|tool|bot|team|product|app|package|company|cat"
    r"|dog)"
)
CREATIVE = (
    r"^(?:write|compose|suggest|give|come up with|invent|brainstorm|draft|make up|imagine|tell|create|generate"
    r"|think of"
    rf"|propose|find|need)\b.{{0,50}}\b(?:{_PIECES})\b"
    r"(?! (?:models?|tables?|endpoints?|pages?|class|component|api|routes?|schema|view|function|method|handler)\b)"
)
_THINGS_TO_RUN = (
    r"servers?|containers?|images?|services?|app|application|workers?|database|db|docker|wheel|package|docs|project"
    r"|process|daemon|cluster|site|stack"
)
TOOL = (
    r"^(?:(?:re-?)?run|execute|launch|restart|reboot|install|uninstall|invoke)\b"
    r"(?!.*\b(?:on save|automatically|before|after|when(?:ever)?|every|in parallel|only|if|as)\b)"
    rf"|^(?:start|stop|build|deploy|kill|publish)\b(?! (?:an?"
    rf"|support)\b).{{0,25}}\b(?:{_THINGS_TO_RUN})\b(?!.*\bfrom\b)"
    r"|^(?:commit|push|pull|stash|tag|check out)\b(?: (?:and|my|the|these|all|everything|this|it|that|to|changes"
    r"|branch))"
    r"|^(?:git|npm|npx|yarn|pnpm|pip|docker|cargo|kubectl|pytest) [a-z]+\b"
    r"|^(?:make|go) (?:all|build|check|clean|docs?|install|lint|release|run|test|vet)$"
)
DESIGN = (
    r"^(?:design|architect|propose|plan|sketch|model|devise|conceive)\b"
    r"|^(?:outline|draft|write|draw up|make|work out|suggest)\b.{0,20}\b(?:plan|(?:technical )?design|architecture"
    r"|proposal"
    r"|rfc|adr|roadmap|schema|strategy)\b"
    r"|^how (?:should|would|could|might) (?:i|we|you|one)\b(?! (?:run|start|install|call|use)\b)"
    r"|^should (?:i|we|it|this)\b|^(?:what|which)\b.{0,30}\b(?:best|better|good|right|cleanest|recommended) "
    r"(?:way|approach|architecture|structure|design|pattern|practice|library|database|place|choice|strategy)\b"
    r"|\bpros and cons\b|\btrade-?offs?\b|^is it (?:better|worth|wise|a good idea)\b|^(?:i'm|i am|we're"
    r"|we are) thinking about\b"
)
FIND = (
    r"^(?:where\b|in (?:which|what) (?:file|module|class|function|package|director\w+|folder|place)\b"
    r"|(?:which|what) (?:file|module|function|class|method|test|place|line|package|part|component|endpoint"
    r"|call)(?:e?s)?\b"
    r"|who (?:calls|uses|imports|owns|defines|sets|writes|reads)\b|what (?:calls|uses|imports)\b"
    r"|(?:find|locate)\b(?! (?:out|a way|the (?:bug|cause|problem|error)|and fix))|search (?:for|the|all|this"
    r"|through)\b"
    r"|look (?:for|up)\b|list\b(?! comprehension)|grep\b|(?:is|are) there (?:an?|any|some)\b|do we (?:already )?have\b"
    r"|show(?: me)? (?:all|every|each|any|the (?:usages?|callers?|uses|definitions?|places|references|files?"
    r"|functions?))\b)"
)
FAILURE = (
    r"traceback \(most recent call last\)|(?:error|exception)\b ?:|\bpanicked at\b"
    r"|\bsegmentation fault\b|\bcore dumped\b|^[ \t]{1,20}at .{1,200}:\d+\)|\bassertion failed\b"
    r"|^FAILED [\w./]+|^E {3,}\w|\b\d+ failed\b|^[ \t]{0,20}✗|\bnpm ERR!"
)
DONE = (  # how something to be done is put that begins with none of the verbs above
    r"^(?!(?:the|an?|this|that|these|those|my|our|it|there|some)\b)\S+ (?:\S+ ){0,6}?"
    r"(?:the|an?|all|any|every|each|at|by|for|from|if|in|into|on|onto|out|over|that|to|under|unless|until|when"
    r"|while|with)\b"
    r"|\b(?:should|must|shall|ought to|needs? to|has to|have to)\b"
)
BROKEN = (
    r"\b(?:bugs?|crash(?:es|ed|ing)?|fail(?:s|ed|ing|ure|ures)?|broken|breaks?|wrong(?:ly)?|incorrect(?:ly)?|hangs?"
    r"|hung"
    r"|leak(?:s|ing)?|errors?|exception|regression|doesn'?t work|does not work|not working|stack ?trace|traceback"
    r"|flaky"
    r"|deadlocks?|throws?|off by (?:one|a|\d)|should (?:not|be|return|have)|instead of|segfaults?|does nothing"
    r"|no longer"
    r"|keeps? (?:on )?\w+ing|stopped (?:working|responding)|randomly|stuck|stale|corrupt(?:s|ed)?|garbled|freezes"
    r"|frozen"
    r"|tim(?:es|ed|ing) out|getting an?|get an? [45]\d\d|nullpointer\w*|\w+exception|\w{3,}error|cannot find"
    r"|can'?t find"
    r"|undefined|unexpectedly|logged out|disappears?|lost|won'?t|isn'?t|aren'?t|didn'?t|nan"
    r"|(?:is|are|stays?|remains?) (?:empty|missing|blank|slow|null|none)|duplicates?|locally but|but not in"
    r"|two \w+ per)\b"
)
TEST_WORDS = (
    r"\b(?:unit[- ]?tests?|integration tests?|regression tests?|test cases?|pytest|unittest|doctests?|coverage"
    r"|property[- ]tests?)\b"
)
WANTS_FIX = r"\b(?:fix|solve|repair|correct|resolve|make (?:it|them) (?:work|pass))\b"
SEEN = (
    r"\b(?:screenshots?|mock-?ups?|wireframes?|(?:this|the|attached) (?:image|picture|photo|diagram))\b|\.(?:png"
    r"|jpe?g|gif|webp)\b"
)
