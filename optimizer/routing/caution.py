"""Whether a request is about tax, health or law: such answers need a stronger word than others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from optimizer.patterns import Pattern

Subject = Literal["medical", "legal", "tax"]
LONGEST = 2_000  # characters that are looked through

# Words that programs share with these subjects do not count alone: patient, contract, licence, diagnose, side effect.
_WORDS: Mapping[Subject, str] = {
    "medical": (
        r"dosages?|overdos\w+|mg/kg|milligrams? of|\d ?mg of|blood (?:pressure|sugar|thinners?)|ibuprofen|paracetamol"
        r"|acetaminophen|aspirin|insulin|antibiotics?|antidepressants?|chemotherapy|symptoms? of (?!the|a|this)\w+"
        r"|my (?:symptoms?|medications?|prescription|doctor|pregnancy|rash|headaches?|chest pain)|during pregnancy"
        r"|drug interactions?|side effects? of (?:taking|the vaccine|\w+ (?:tablets?|pills?))|diabetes|diabetic"
        r"|take .{0,30} (?:while pregnant|with alcohol)|diagnosed with|medical(?:ly)? (?:advice|safe|condition)s?"
        r"|dosierung|blutdruck|schwangerschaft|nebenwirkungen von|posologie|grossesse|embarazo|dosis de|gravidanza"
        r"|dosaggio|gravidez|дозировк\w+|беременност\w+"
    ),
    "legal": (
        r"lawsuits?|sue (?:me|him|her|them|us|my|the|someone)|legal (?:advice|liability|obligations?|action|rights?)"
        r"|legally (?:binding|allowed|liable|required|obliged)|is it (?:il)?legal|against the law|lawyers?|attorneys?"
        r"|my (?:landlord|tenant|employer|lease)|divorce|child custody|breach of contract|statute of limitations"
        r"|copyright infringement|patent infringement|non-?compete|notice period|gdpr (?:fines?|complian\w+)"
        r"|(?:a?gpl|licen[cs]e)\b.{0,60}\b(?:commercial product|proprietary product|violat\w+|legally)"
        r"|anwalt|rechtsanwält\w+|kündigungsfrist|mietvertrag|vermieter|avocat|divorcio|abogad[oa]|avvocat[oa]|advogad[oa]"
        r"|адвокат\w*|юрист\w*"
    ),
    "tax": (
        r"income tax(?:es)?|tax (?:returns?|deduct\w+|brackets?|liabilit\w+|refunds?|office|law|advice|authorit\w+)"
        r"|(?:pay|owe|deduct|file|evade) (?:\w+ ){0,2}tax(?:es)?|tax[- ]deductible|capital gains|withholding tax"
        r"|payroll tax(?:es)?|inheritance tax|(?:calculate|compute|owe|charge) (?:the )?vat|vat (?:rate|return|id)s?"
        r"|sales tax(?:es)?|hmrc|finanzamt|steuererklärung|einkommens?teuer|umsatzsteuer|mehrwertsteuer|impôts?"
        r"|déclaration fiscale|impuestos?|dichiarazione dei redditi|imposto de renda|налог\w*"
    ),
}
_UNSPACED: Mapping[Subject, str] = {
    "medical": "剂量|怀孕|血压|服用|妊娠|投与量|薬の",
    "legal": "律师|诉讼|违法|弁護士|訴訟|法律相談",
    "tax": "个人所得税|增值税|报税|税金|確定申告|消費税",
}
_PATTERNS = {
    subject: Pattern(rf"(?<![\w.])(?:{words})(?![\w(=])|{_UNSPACED[subject]}") for subject, words in _WORDS.items()
}


def subject(text: str) -> Subject | None:
    """The first of these subjects that a request names; None for other requests, and for names in code."""
    request = " ".join(text[:LONGEST].lower().split())
    return next((subject for subject, pattern in _PATTERNS.items() if pattern.search(request)), None)
