"""Requests about tax, health and law are known; those about programs that share their words are not taken for them."""

from __future__ import annotations

import pytest

from optimizer.routing.caution import subject

MEDICAL = (
    "what dosage of ibuprofen is safe for a child",
    "can I take aspirin while pregnant",
    "compute the insulin dose in dose.py",
    "what are the symptoms of diabetes",
    "is 500 mg of paracetamol too much",
    "Welche Nebenwirkungen von Aspirin gibt es",
    "怀孕可以喝咖啡吗",
)
LEGAL = (
    "my landlord keeps the deposit, what can I do",
    "is it legal to scrape this site",
    "can I use AGPL code in a commercial product",
    "write a letter to sue my employer",
    "is a verbal agreement legally binding",
    "brauche ich einen Anwalt",
    "我需要律师吗",
)
TAX = (
    "how much income tax do I owe on 60,000",
    "are laptops tax deductible",
    "add the VAT rate of Spain to invoice.py",
    "help me file my taxes",
    "wie fülle ich die Steuererklärung aus",
    "combien d'impôts dois-je payer",
    "fix sales tax in cart.py",
)
OTHERS = (
    "diagnose the failing test",
    "why does add_patient have side effects",
    "check the licence header of every file",
    "what does the Contract class do",
    "rename income_tax to tax_of_income",
    "explain tax.calculate() in shop.py",
    "the syntax error in parser.py",
    "where is dose() called",
    "trial division is slow",
    "who calls sue",
    "move court_case.py into legal/",
    "why is the health check red",
    "treat empty strings as None",
    "handle an attack of invalid tokens",
)


@pytest.mark.parametrize(
    ("wanted", "request_"),
    [("medical", one) for one in MEDICAL] + [("legal", one) for one in LEGAL] + [("tax", one) for one in TAX],
)
def test_a_subject_is_known(wanted: str, request_: str) -> None:
    assert subject(request_) == wanted


@pytest.mark.parametrize("request_", OTHERS)
def test_requests_about_programs_are_none_of_them(request_: str) -> None:
    assert subject(request_) is None
