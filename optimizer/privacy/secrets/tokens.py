"""Tokens that have a shape of their own: one row for each kind, with how it begins and what follows.

Formats are those that the vendors document, and those of the rule sets gitleaks 8 (MIT), kingfisher 1 (Apache-2.0) and
trufflehog 3, read in November 2026; lengths are widened where vendors changed them before.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

LONGEST_PREFIX = 44  # bytes of a token before its first long run of letters and digits


class TokenRule(NamedTuple):
    """A kind of token: what it is called, how it begins (lower case, separated by blanks), and its whole pattern."""

    name: str
    starts: str
    body: str


class InnerRule(NamedTuple):
    """A kind of token known by what stands within it: the pattern of that in lower case, and the whole pattern."""

    name: str
    mark: str
    body: str


_UUID = "[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"
_T, _I = TokenRule, InnerRule

TOKENS: tuple[TokenRule, ...] = (
    # models
    _T("an Anthropic key", "sk-ant-", r"sk-ant-[a-z]{2,12}[0-9]{2,4}-[\w-]{20,256}"),
    _T(
        "an OpenAI key",
        "sk-",
        r"sk-(?:(?:proj|svcacct|admin|None)-[\w-]{20,256}|[A-Za-z0-9]{16,32}T3BlbkFJ[A-Za-z0-9]{16,32}|[A-Za-z0-9]{48})",
    ),
    _T("a DeepSeek, Qwen or Moonshot key", "sk-", r"sk-(?:[0-9a-f]{32}|[A-Za-z0-9]{32,64})"),
    _T("an OpenRouter key", "sk-or-", r"sk-or-v1-[0-9a-f]{40,80}"),
    _T("a Langfuse key", "sk-lf-", rf"sk-lf-{_UUID}"),
    _T("a LangSmith key", "lsv2_", r"lsv2_(?:pt|sk)_[0-9a-f]{32}_[0-9a-f]{10}"),
    _T("a Groq key", "gsk_", r"gsk_[A-Za-z0-9]{40,64}"),
    _T("an xAI key", "xai-", r"xai-[A-Za-z0-9_]{60,120}"),
    _T("a Perplexity key", "pplx-", r"pplx-[A-Za-z0-9]{40,64}"),
    _T("a Replicate token", "r8_", r"r8_[A-Za-z0-9_-]{37,40}"),
    _T("a Hugging Face token", "hf_ api_org_", r"(?:hf|api_org)_[A-Za-z0-9]{30,40}"),
    _T("a Together key", "tgp_v1_", r"tgp_v1_[\w-]{40,50}"),
    _T("a Fireworks key", "fw_", r"fw_[A-Za-z0-9]{22,26}"),
    _T("a Cerebras key", "csk-", r"csk-[a-z0-9]{40,56}"),
    _T("an NVIDIA key", "nvapi-", r"nvapi-[\w-]{60,80}"),
    _T("an ElevenLabs key", "sk_", r"sk_[0-9a-f]{48}"),
    _T("a Jina key", "jina_", r"jina_[A-Za-z0-9_-]{60,70}"),
    _T("a Tavily key", "tvly-", r"tvly-(?:dev-|prod-)?[A-Za-z0-9]{30,40}"),
    _T("a Pinecone key", "pcsk_", r"pcsk_[A-Za-z0-9]{4,8}_[A-Za-z0-9]{50,70}"),
    _T("a Voyage key", "pa-", r"pa-[\w-]{40,46}"),
    _T("a RunPod key", "rpa_", r"rpa_[A-Z0-9]{40,48}[a-z0-9]{0,6}"),
    _T("an E2B key", "e2b_", r"e2b_[0-9a-f]{40}"),
    _T("a Firecrawl key", "fc-", r"fc-[0-9a-f]{32}"),
    _T("a Google API key", "aiza", r"AIza[\w-]{35}"),
    _T("a Google OAuth secret", "gocspx-", r"GOCSPX-[\w-]{24,40}"),
    _T("a Google access token", "ya29.", r"ya29\.[\w-]{30,512}"),
    _T("a Google refresh token", "1//", r"1//0[\w-]{40,120}"),
    # clouds
    _T("an AWS access key id", "akia asia abia acca", r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}"),
    _T("an Amazon Bedrock key", "absk", r"ABSK[A-Za-z0-9+/]{60,269}={0,2}"),
    _T("an Amazon Bedrock key", "bedrock-api-key-", r"bedrock-api-key-[A-Za-z0-9+/]{40,2000}={0,2}"),
    _T("an Amazon MWS token", "amzn.mws.", rf"amzn\.mws\.{_UUID}"),
    _T("an Alibaba key id", "ltai", r"LTAI[A-Za-z0-9]{12,24}"),
    _T("a Tencent key id", "akid", r"AKID[A-Za-z0-9]{32}"),
    _T("a DigitalOcean token", "dop_v1_ doo_v1_ dor_v1_", r"do[opr]_v1_[0-9a-f]{64}"),
    _T("a Heroku key", "hrku-", r"HRKU-[A-Za-z0-9_-]{36,64}"),
    _T("a Cloudflare origin key", "v1.0-", r"v1\.0-[0-9a-f]{24}-[0-9a-f]{146}"),
    _T("a Cloudflare token", "cfut_ cfat_ cfk_", r"cf(?:ut|at|k)_[A-Za-z0-9_-]{36,64}"),
    _T("a Netlify token", "nfp_ nfc_ nfo_", r"nf[pco]_[A-Za-z0-9_]{36,46}"),
    _T("a Vercel token", "vcp_ vci_ vca_ vcr_ vck_", r"vc[piark]_[A-Za-z0-9]{24,64}"),
    _T("a Fly.io token", "fo1_ fm1a_ fm1r_ fm2_", r"(?:fo1_[\w-]{43}|fm(?:1[ar]|2)_[A-Za-z0-9+/]{60,2000}={0,3})"),
    _T("a Render key", "rnd_", r"rnd_[A-Za-z0-9]{28,36}"),
    _T("a Supabase token", "sbp_ sb_secret_", r"(?:sbp_[0-9a-f]{40}|sb_secret_[\w-]{24,48})"),
    _T("a PlanetScale secret", "pscale_", r"pscale_(?:tkn|pw|oauth)_[\w=.-]{32,64}"),
    _T("a Neon key", "napi_", r"napi_[a-z0-9]{50,72}"),
    _T("a Databricks token", "dapi", r"dapi[0-9a-f]{32}(?:-\d)?"),
    _T("a Scalingo token", "tk-us-", r"tk-us-[\w-]{48}"),
    _T("a Yandex key", "aqvn", r"AQVN[\w-]{35,38}"),
    _T("a Yandex token", "t1.", r"t1\.[A-Za-z0-9_-]{20,400}={0,2}\.[A-Za-z0-9_-]{86}={0,2}"),
    _T("a Doppler token", "dp.", r"dp\.(?:pt|st|ct|sa|scim|audit)\.(?:[a-z0-9_-]{2,35}\.)?[A-Za-z0-9]{40,44}"),
    _T("a Vault token", "hvs. hvb. hvr.", r"hv[sbr]\.[\w-]{20,300}"),
    _T("a Vault token", "s.", r"s\.[A-Za-z0-9]{24}"),
    _T("a Pulumi token", "pul-", r"pul-[0-9a-f]{40}"),
    _T("an OpenShift token", "sha256~", r"sha256~[\w-]{43}"),
    _T("an age secret key", "age-secret-key-1", r"AGE-SECRET-KEY-1[0-9A-Z]{58}"),
    _T("a 1Password token", "ops_eyj", r"ops_eyJ[A-Za-z0-9+/=_-]{60,1000}"),
    _T("a 1Password secret key", "a3-", r"A3-[A-Z0-9]{6}-(?:[A-Z0-9]{11}|[A-Z0-9]{6}-[A-Z0-9]{5})(?:-[A-Z0-9]{5}){3}"),
    _T("a Tailscale key", "tskey-", r"tskey-[a-z]{2,12}-[A-Za-z0-9]{10,24}(?:-[A-Za-z0-9]{20,50})?"),
    _T("a Defined Networking key", "dnkey-", r"dnkey-[A-Za-z0-9=_-]{26}-[A-Za-z0-9=_-]{52}"),
    _T("a Prefect key", "pnu_ pnb_", r"pn[ub]_[A-Za-z0-9]{36}"),
    # code and packages
    _T("a GitHub token", "ghp_ gho_ ghu_ ghs_ ghr_", r"gh[pousr]_[A-Za-z0-9]{36,255}"),
    _T("a GitHub token", "github_pat_", r"github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}"),
    _T(
        "a GitLab token",
        "glpat- gldt- glrt- glptt- glft- glsoat- glcbt- glagent- gloas- glffct- glimt-",
        r"gl[a-z]{2,5}-[\w.-]{20,300}",
    ),
    _T("a GitLab runner token", "gr1348941", r"GR1348941[\w-]{20}"),
    _T("an Atlassian token", "atatt3 atctt3 atstt3", r"AT[ACS]TT3[A-Za-z0-9_=-]{50,400}"),
    _T("a Bitbucket password", "atbb", r"ATBB[A-Za-z0-9_=.-]{24,80}"),
    _T("an npm token", "npm_", r"npm_[A-Za-z0-9]{36}"),
    _T("a PyPI token", "pypi-", r"pypi-AgE[A-Za-z0-9_-]{50,1000}"),
    _T("a RubyGems key", "rubygems_", r"rubygems_[0-9a-f]{48}"),
    _T("a NuGet key", "oy2", r"oy2[a-z0-9]{43}"),
    _T("a crates.io token", "cio", r"cio[A-Za-z0-9]{32}"),
    _T("a Clojars token", "clojars_", r"CLOJARS_[a-z0-9]{60}"),
    _T("a Docker token", "dckr_pat_ dckr_oat_", r"dckr_[po]at_[\w-]{27,40}"),
    _T("a JFrog key", "akcp", r"AKCp[A-Za-z0-9]{60,80}"),
    _T("a JFrog token", "cmvmd", r"cmVmd[A-Za-z0-9]{59}"),
    _T("a SonarQube token", "squ_ sqp_ sqa_", r"sq[upa]_[0-9a-f]{40}"),
    _T("a Sourcegraph token", "sgp_", r"sgp_(?:(?:[0-9a-f]{16}|local)_)?[0-9a-f]{40}"),
    _T("a Buildkite token", "bkua_", r"bkua_[0-9a-f]{40}"),
    _T("a CircleCI token", "ccipat_", r"CCIPAT_[A-Za-z0-9]{20,24}_[0-9a-z]{40}"),
    _T("a Snyk token", "snyk_", r"snyk_(?:uat|sat)\.[\w.-]{30,120}"),
    _T("a Postman key", "pmak-", r"PMAK-[0-9a-f]{24}-[0-9a-f]{34}"),
    _T("an Octopus key", "api-", r"API-[A-Z0-9]{26,32}"),
    _T("an Infracost key", "ico-", r"ico-[A-Za-z0-9]{32}"),
    _T("a ReadMe key", "rdme_", r"rdme_[a-z0-9]{70}"),
    _T("a Harness key", "pat. sat.", r"[ps]at\.[\w-]{22}\.[A-Za-z0-9]{24}\.[A-Za-z0-9]{20}"),
    # watching
    _T("a Grafana token", "glsa_ glc_", r"(?:glsa_[A-Za-z0-9]{32}_[A-Fa-f0-9]{8}|glc_[A-Za-z0-9+/]{32,400}={0,3})"),
    _T("a Grafana key", "eyjrijoi", r"eyJrIjoi[A-Za-z0-9]{60,400}={0,3}"),
    _T("a New Relic key", "nrak- nrii- nrjs-", r"NR(?:AK-[A-Z0-9]{27}|II-[A-Za-z0-9-]{32}|JS-[0-9a-f]{19})"),
    _T("a Sentry token", "sntrys_ sntryu_ sntrya_", r"sntry[sua]_[A-Za-z0-9+/=_-]{40,400}"),
    _T("a Dynatrace token", "dt0", r"dt0[a-z]\d\d\.[A-Z0-9]{24}\.[A-Z0-9]{64}"),
    _T("a Honeycomb key", "hcaik_ hcxik_ hcbik_", r"hc[axb]ik_[a-z0-9]{50,64}"),
    _T("a Logfire token", "pylf_", r"pylf_v\d_[a-z]{2,4}_[A-Za-z0-9]{40,60}"),
    # talk and work
    _T("a Slack token", "xoxa xoxb xoxe xoxp xoxr xoxs xapp-", r"(?:xox[abeprs]|xapp)[-.][0-9A-Za-z.-]{20,250}"),
    _T("a Telegram bot token", "bot " + " ".join(map(str, range(10, 100))), r"(?:bot)?[0-9]{8,10}:AA[\w-]{32,34}"),
    _T("a Discord token", "mt mj mz nd nt nj nz od ot", r"[MNO][A-Za-z\d_-]{23,28}\.[\w-]{6}\.[\w-]{27,40}"),
    _T("a Notion token", "ntn_ secret_", r"(?:ntn_[A-Za-z0-9]{40,52}|secret_[A-Za-z0-9]{43})"),
    _T("a Linear key", "lin_api_ lin_oauth_", r"lin_(?:api|oauth)_[A-Za-z0-9]{32,64}"),
    _T("a Figma token", "figd_ figu_ figo_", r"fig[duo]_[\w-]{38,48}"),
    _T("an Asana token", "1/ 2/", r"[12]/[0-9]{15,17}(?:/[0-9]{15,17})?:[0-9a-f]{32}"),
    _T("an Airtable token", "pat", r"pat[A-Za-z0-9]{14}\.[0-9a-f]{64}"),
    _T("a Trello token", "atta", r"ATTA[0-9a-f]{64}"),
    _T("a ClickUp token", "pk_", r"pk_[0-9]{6,9}_[A-Z0-9]{32}"),
    _T("a Typeform token", "tfp_", r"tfp_[\w.=-]{40,60}"),
    _T("a HubSpot token", "pat-", rf"pat-(?:na|eu|ap)[0-9]-{_UUID}"),
    _T("a Contentful token", "cfpat-", r"CFPAT-[\w-]{40,46}"),
    _T("an Adafruit key", "aio_", r"aio_[A-Za-z0-9]{28}"),
    _T("a PostHog key", "phx_ phs_", r"ph[xs]_[\w-]{40,48}"),
    _T("a MongoDB Atlas secret", "mdb_sa_sk_", r"mdb_sa_sk_[\w-]{36,44}"),
    _T("a Teamwork token", "tkn.v1_", r"tkn\.v1_[A-Za-z0-9+/]{60,100}={0,2}"),
    _T("a Telnyx key", "key0", r"KEY0[A-Za-z0-9_-]{50,60}"),
    _T("a Dependency-Track key", "odt_", r"odt_[A-Za-z0-9]{32,40}"),
    _T("a Frame.io token", "fio-u-", r"fio-u-[\w=-]{64}"),
    _T("a Dropbox token", "sl.", r"sl\.(?:u\.)?[\w=-]{100,200}"),
    _T("an Intra42 secret", "s-s4t2", r"s-s4t2(?:ud|af)-[0-9a-f]{64}"),
    # mail
    _T("a SendGrid key", "sg.", r"SG\.[\w-]{16,32}\.[\w-]{32,64}"),
    _T("a Mailgun key", "key- pubkey-", r"(?:pub)?key-[0-9a-f]{32}"),
    _T("a Brevo key", "xkeysib- xsmtpsib-", r"x(?:key|smtp)sib-[0-9a-f]{64}-[A-Za-z0-9]{16}"),
    _T("a Resend key", "re_", r"re_[A-Za-z0-9]{6,10}_[A-Za-z0-9]{20,30}"),
    _T("a Twilio key", "sk", r"SK[0-9a-f]{32}"),
    # money and shops
    _T("a Stripe key", "sk_ rk_", r"[rs]k_(?:live|test|prod)_[A-Za-z0-9]{20,250}"),
    _T("a Stripe signing secret", "whsec_", r"whsec_[A-Za-z0-9+/]{24,100}={0,2}"),
    _T("a Shopify token", "shpat_ shpca_ shppa_ shpss_ shpua_", r"shp(?:at|ca|pa|ss|ua)_[0-9a-fA-F]{30,34}"),
    _T(
        "a Square token",
        "eaaa sq0atp- sq0csp- sq0idp-",
        r"(?:sq0(?:atp|csp|idp)-|(?<![A-Za-z0-9+/][+/])EAAA)[\w-]{22,64}(?![+/=])",
    ),
    _T(
        "a Braintree or PayPal token",
        "access_token$",
        r"access_token\$(?:production|sandbox)\$[0-9a-z]{16}\$[0-9a-f]{32}",
    ),
    _T("a Plaid token", "access-", rf"access-(?:sandbox|development|production)-{_UUID}"),
    _T("a Razorpay key", "rzp_", r"rzp_(?:live|test)_[A-Za-z0-9]{14,24}"),
    _T("a Flutterwave key", "flwseck", r"FLWSECK(?:_TEST)?-[0-9a-hA-H]{12,32}(?:-X)?"),
    _T("an EasyPost key", "ezak eztk", r"EZ[AT]K[A-Za-z0-9]{54}"),
    _T("a Shippo token", "shippo_", r"shippo_(?:live|test)_[0-9a-fA-F]{40}"),
    _T("a Duffel token", "duffel_", r"duffel_(?:test|live)_[\w=-]{43}"),
    _T("an Adobe secret", "p8e-", r"p8e-[A-Za-z0-9_-]{30,34}"),
    # the social web, maps
    _T("a Facebook token", "eaa", r"(?<![A-Za-z0-9+/][+/])EAA[A-Za-z0-9]{80,400}(?![+/=])"),
    _T("a Twitter bearer token", "aaaaaaaaaaaaaaaaaaaa", r"A{20,24}[A-Za-z0-9%]{70,110}"),
    _T("a Mapbox token", "sk.eyj", r"sk\.eyJ[\w-]{50,120}\.[\w-]{20,24}"),
    # for anything
    _T("a JSON web token", "eyj", r"eyJ[\w-]{10,2000}\.eyJ[\w-]{10,4000}\.[\w-]{20,1000}"),
)

INNER: tuple[InnerRule, ...] = (
    _I("an Azure client secret", r"q~", r"[A-Za-z0-9_~.]{3}[0-9]Q~[\w~.-]{31,34}"),
    _I("an Azure DevOps token", "azdo", r"[A-Za-z0-9]{60,80}AZDO[A-Za-z0-9]{4}"),
    _I("a Terraform token", r"\.atlasv1\.", r"[A-Za-z0-9]{14}\.atlasv1\.[\w=-]{60,70}"),
    _I("a Mailchimp key", r"-us[0-9]", r"[0-9a-f]{32}-us[0-9]{1,2}"),
    _I("a Mailgun key", r"-[0-9a-f]{8}-[0-9a-f]{8}", r"[0-9a-f]{32}-[0-9a-f]{8}-[0-9a-f]{8}"),
    _I("a New Relic key", "nral", r"[0-9a-f]{36}NRAL"),
    _I("a MaxMind key", "_mmk", r"[A-Za-z0-9]{6}_[A-Za-z0-9]{29}_mmk"),
    _I("a Firebase key", ":apa91b", r"AAAA[\w-]{7}:APA91b[\w-]{100,160}"),
)

_START = rb"(?:(?<![A-Za-z0-9_])|(?<=\\[nrt])|(?<=%[0-9A-F]{2}))"
_END = rb"(?![A-Za-z0-9_-])"


@cache
def pattern(rule: TokenRule | InnerRule) -> re.Pattern[bytes]:
    """The compiled pattern of a rule; the secret is its group `s`."""
    return re.compile(_START + b"(?P<s>" + rule.body.encode() + b")" + _END)


@cache
def by_start() -> Mapping[bytes, tuple[tuple[bytes, TokenRule], ...]]:
    """The rules by the first two bytes of their starts, each with the start."""
    found: dict[bytes, list[tuple[bytes, TokenRule]]] = {}
    for rule in TOKENS:
        for start in rule.starts.encode().split():
            found.setdefault(start[:2], []).append((start, rule))
    return {key: tuple(rules) for key, rules in found.items()}


@cache
def marks() -> re.Pattern[bytes]:
    """What stands within tokens of the inner rules, in lower case."""
    return re.compile("|".join(rule.mark for rule in INNER).encode())


def beginning(text: bytes) -> list[tuple[bytes, TokenRule]]:
    """The rules whose tokens begin as `text`, which is in lower case, begins; each with the start that fits."""
    return [(start, rule) for start, rule in by_start().get(text[:2], ()) if text.startswith(start)]
