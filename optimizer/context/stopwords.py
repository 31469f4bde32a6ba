"""Words of English and of issue reports that say nothing about code."""

from __future__ import annotations

_ENGLISH = """
a about above actually after again against all almost already also although always am an and another any anyone anything
apparently are aren around as at away back be became because been before being below best better between both but by
came can cannot cant could couldn d did didn didnt do does doesn doesnt doing don done dont down due during each either
else especially etc even ever every everything exactly except far few find first for fine found from further gave get
gets getting give given gives giving go goes going gone good got had happen happened happening happens has hasn have
haven having he hello help hence her here hi him his how however i idea if im in indeed instead into is isn isnt it its
itself ive just keep kind know known last later least less let like likely little ll lot m made mainly make makes making
many may maybe me mean means might mine more most much must my myself near need needed needs neither never new next nice
no none nor not nothing now obviously of off often oh ok okay on once one ones only onto or other others otherwise our
out over own part per perhaps please possible possibly probably put quite rather re really recent recently right s same
saw say says see seem seems seen several shall she should shouldn since so some someone something sometimes soon still
such sure t take taken takes than thank thanks that the their them themselves then there therefore these they thing
things think this those though through thus time to together too took totally tried tries try trying two under unless
until up upon us use used useful user users uses using usual usually ve very via want wanted wants was wasn way we well
went were weren what whatever when where whether which while who whole whose why will wish with within without won wont
work worked working works would wouldn yes yet you your yours
"""
_REPORTS = """
actual additional behavior behaviour bug bugs code comment context correct correctly currently describe described
description details do environment error example examples expect expected expecting expects fail failed failing fails
feature file fix fixed following github happens http https incorrect info information issue issues issue line lines look
looks minimal occur occurs org output problem problems project properly question related report reproduce reproducible
reproduction repro request result results return returns run running screenshot screenshots search searched should show
shows similar simple snippet solution steps suggest suggestion support system version versions wrong www com
"""
_REQUESTS = """
add adding adds change changed changes changing create explain implement improve refactor remove rewrite update write
"""

STOPWORDS = frozenset((_ENGLISH + _REPORTS).split())
REQUESTS = frozenset(_REQUESTS.split())
