"""Every problem of readiness.toml: its code, its place and its sentence."""

from __future__ import annotations

import pytest

from config_files import only
from gonogo.explain import CODES

EXCLUDE = '[[exclude]]\nreason = "r"\nowner = "o"\n'
CONSTRAINT = "[[constraint]]\nname = 'x'\n"
PAIR = '[[burn_rate]]\nalert = "page"\nbudget = "2%"\nlong = "1h"\nshort = "5m"\n'
CASES: list[tuple[str, str | bytes, str, str]] = [
    ("C002", b"a = 1\n# \xc3\xa4 \xff\n", "2:5", "save the file as UTF-8"),
    ("C002", "x = 1\n".encode("utf-16"), "1:1", "save the file as UTF-8"),
    ("C003", '[slo]\nerror_rate{model=x} = "<= 1%"\n', "2:11", "in quotes"),
    ("C003", "[slo]\nerror_rate = <= 1%\n", "2:14", 'error_rate = "<= 1%"'),
    ("C003", 'x = "abc', "1:9", "unterminated string"),
    ("C003", 'a = 1\r\nx = "\\q"\r\n', "2:8", "not TOML"),
    ("C003", "x = " + "[" * 5000, "1:1", "nested too deeply"),
    ("C003", "top = " + "1" * 5000, "1:5007", "too long"),
    ("C004", '[slo]\nerror_rate = "a"\nerror_rate = "b"\n', "3:1", "first at readiness.toml:2:1"),
    ("C004", '[fields]\nretrieval.hit = "a.x"\n"retrieval.hit" = "b.x"\n', "3:1", "written twice"),
    ("C005", 'timezon = "UTC"\n', "1:1", "did you mean 'timezone'?"),
    ("C005", 'latency.p95 = "<= 2s"\n', "1:1", "in the section [slo]"),
    ("C005", '[slo]\ntimezone = "UTC"\n', "2:1", "above the first [section]"),
    ("C005", "[site]\ntop = 3\n", "2:1", "above the first [section]"),
    ("C005", '[slo]\nerror_rate = { limit = "<= 1%", tagret = "x" }\n', "2:33", "did you mean"),
    ("C005", '[slos]\nerror_rate = "<= 1%"\n', "1:1", "did you mean 'slo'?"),
    ("C006", "[notify]\nx = 1\n", "1:1", "does not read it"),
    ("C060", '[compare]\nagainst = ["modle=a..b"]\n', "2:12", "did you mean 'model'?"),
    ("C007", "timezone = 1\n", "1:12", "a whole number stands where a text"),
    ("C007", 'top = "7"\n', "1:7", "a text stands where a whole number"),
    ("C007", "top = true\n", "1:7", "true or false stands where a whole number"),
    ("C007", "minimum_coverage = true\n", "1:20", "true or false stands where a ratio"),
    ("C007", '[[slo]]\nobjective = "x"\n', "1:1", "a list stands where a table"),
    ("C007", "[slo]\nerror_rate = 0.01\n", "2:14", 'write it as a text: "<= 1%"'),
    ("C007", "[slo]\nretrieval_hit_rate = 99.5\n", "2:22", '">= 90%"'),
    ("C007", "[slo]\nerror_rate = { limit = 1 }\n", "2:24", "a whole number stands"),
    ("C007", "exclude = [1]\n", "1:12", "a whole number stands where a table"),
    ("C007", '[exclude]\nfrom = "x"\n', "1:1", "a table stands where a list"),
    ("C007", "[site]\npublish = [3]\n", "2:12", "a whole number stands where a text"),
    ("C007", "[fields]\nlatency_ms = 3\n", "2:14", "a whole number stands where a text"),
    ("C007", "[slo]\nerror_rate = { limit = '<= 1%', proposed = 'y' }\n", "2:44", "true or false"),
    ("C008", '[slo."error_rate"]\nowner = "x"\n', "1:1", "'limit' must be written"),
    ("C009", '[site]\ntitle = " "\n', "2:9", "empty"),
    ("C009", '[site]\ntitle = "a\\u001bb"\n', "2:9", "control character"),
    ("C009", '[not_applicable]\ntool_calls = ""\n', "2:14", "empty"),
    ("C010", '[slo]\nlatencyy = "<= 2s"\n', "2:1", "did you mean 'latency.p95'?"),
    ("C011", '[slo]\nttft.p95 = "<= 2s"\n', "2:1", 'write "ttft.p95" = "…"'),
    ("C011", '[slo]\nlatency = "<= 2s"\n', "2:1", "needs a statistic"),
    ("C012", '[slo]\n"latency.p101" = "<= 2s"\n', "2:1", "between 0 and 100"),
    ("C013", '[slo]\n"error_rate{model}" = "<= 2%"\n', "2:1", "cannot be read"),
    ("C014", '[slo]\n"error_rate{modle=a}" = "<= 2%"\n', "2:1", "'model'"),
    (
        "C015",
        '[slo]\n"error_rate{model=a,service=b}" = "<= 2%"\n'
        '"error_rate{service=b,model=a}" = "<= 2%"\n',
        "3:1",
        "the same objective as at readiness.toml:2:1",
    ),
    ("C015", '[slo]\n"latency.p95" = "<= 2s"\n"latency.p95.0" = "<= 2s"\n', "3:1", "the same"),
    ("C016", '[slo]\nerror_rate = "1%"\n', "2:14", "did you mean '<= 1%'?"),
    ("C017", "[slo]\nerror_rate = nan\n", "2:14", "NaN is not a number that"),
    ("C017", '[slo]\nerror_rate = "<= -inf"\n', "2:14", "not a number that"),
    ("C018", '[slo]\n"latency.p95" = "<= 2.5"\n', "2:17", "<= 2.5s"),
    ("C019", '[slo]\n"latency.p95" = "<= 2.5%"\n', "2:17", "is not a time"),
    ("C020", '[slo]\nretrieval_hit_rate = ">= 99.5"\n', "2:22", "0.995"),
    ("C021", '[slo]\nerror_rate = ">= 1%"\n', "2:14", "'<= 1%'"),
    ("C022", '[slo."error_rate"]\nlimit = "< 0%"\n', "2:9", "below zero"),
    ("C023", '[slo]\nerror_rate = "<= 1"\n', "2:14", "never be missed"),
    ("C024", '[slo]\n"latency.p95" = "<= 99999999999999s"\n', "2:17", "larger than"),
    ("C025", "[slo]\nerror_rate = {limit='<= 1%', severity='warn'}\n", "2:39", "'warning'"),
    ("C026", "[slo]\nerror_rate = {limit='<= 1%', minimum=0}\n", "2:38", "0 is out of range"),
    ("C026", "top = 0x" + "f" * 5000, "1:7", "out of range"),
    ("C026", "minimum_coverage = 50\n", "1:20", "write 0.5 or 50%"),
    ("C026", "minimum_coverage = nan\n", "1:20", "between 0 and 1"),
    ("C026", 'minimum_coverage = "half"\n', "1:20", "between 0 and 1"),
    ("C026", 'minimum_coverage = "101%"\n', "1:20", "between 0 and 1"),
    ("C026", "minimum_coverage = 1e99999999999999999999\n", "1:20", "between 0 and 1"),
    ("C027", 'timezone = "europe/berlin"\n', "1:12", "did you mean 'Europe/Berlin'?"),
    ("C027", 'timezone = "New York"\n', "1:12", "did you mean 'America/New_York'?"),
    ("C027", 'timezone = "+01:00"\n', "1:12", "is not a known time zone"),
    ("C027", 'timezone = "../../etc/passwd"\n', "1:12", "is not a known time zone"),
    ("C028", '[fields]\nlatency = "a.b"\n', "2:1", "did you mean 'latency_ms'?"),
    ("C028", '[fields]\nretrieval.hits = "a.b"\n', "2:1", "did you mean 'retrieval.hit'?"),
    ("C029", '[fields]\nlatency_ms = "a..b"\n', "2:14", "is not a dotted path"),
    ("C029", '[fields]\nlatency_ms = ".a"\n', "2:14", "is not a dotted path"),
    (
        "C029",
        '[fields]\n"tool_calls.status" = "outcome"\n',
        "2:23",
        "is a member of the line, and tool_calls.status one of an item in it",
    ),
    ("C029", '[fields]\n"retrieval.hit" = "found"\n', "2:19", 'as in "found.hit"'),
    ("C030", EXCLUDE + 'from = "soon"\nto = 2026-11-18\n', "4:8", "is not a date and time"),
    ("C007", EXCLUDE + "from = 10:00:00\nto = 2026-11-18\n", "4:8", "a time of day stands"),
    (
        "C030",
        'timezone = "Europe/Berlin"\n' + EXCLUDE + "from = 2026-10-25T02:30:00\nto = 2026-10-26\n",
        "5:8",
        "happens twice in Europe/Berlin",
    ),
    (
        "C030",
        'timezone = "Europe/Berlin"\n' + EXCLUDE + "from = 2026-03-29T02:30:00\nto = 2026-10-26\n",
        "5:8",
        "happens never in Europe/Berlin",
    ),
    ("C031", EXCLUDE + "from = 2026-11-18\nto = 2026-11-18\n", "5:6", "ends before it starts"),
    ("C032", '[not_applicable]\nretrieval = "no"\n', "2:1", "did you mean 'retrievals'?"),
    ("C033", '[site]\naccent = "red"\n', "2:10", "is not a colour"),
    ("C033", '[site]\naccent = "#12345g"\n', "2:10", "is not a colour"),
    ("C034", '[site]\ntrace_url = "https://t.example/x"\n', "2:13", "no {trace_id}"),
    ("C034", '[site]\ntrace_url = "https://{trace_id}.example/x"\n', "2:13", "no {trace_id}"),
    ("C034", '[site]\ntrace_url = "https://t.example/{trace_id}/{x}"\n', "2:13", "placeholder"),
    ("C034", '[site]\ntrace_url = "https://me:pw@t.example/{trace_id}"\n', "2:13", "password"),
    ("C034", '[site]\ntrace_url = "//t.example/{trace_id}"\n', "2:13", "not an http or https"),
    (
        "C034",
        "[slo]\nerror_rate = {limit='<= 1%', runbook='javascript:x'}\n",
        "2:38",
        "not an http",
    ),
    (
        "C034",
        "[slo]\nerror_rate = {limit='<= 1%', runbook='http://a/\"<b>'}\n",
        "2:38",
        "character",
    ),
    ("C034", "[slo]\nerror_rate = {limit='<= 1%', runbook='http://[x/'}\n", "2:38", "not a link"),
    ("C035", '[site]\npublish = ["user"]\n', "2:12", "did you mean 'users'?"),
    ("C036", "[gates]\nrequired = ['golden', 'data_flows']\n", "2:13", "'golden_set'"),
    ("C036", "[use_case]\nstage = 'pilots'\n", "2:9", "did you mean 'pilot'?"),
    (
        "C071",
        CONSTRAINT + "must_match = ['ok', 'é(b']\n",
        "3:21",
        "unclosed group (at character 2)",
    ),
    (
        "C071",
        CONSTRAINT + "must_not_match = '(?=x)a'\n",
        "3:18",
        "is not supported (at character 1)",
    ),
    (
        "C071",
        CONSTRAINT + "must_match = '''ab\nc(d'''\n",
        "3:14",
        "unclosed group (at character 5)",
    ),
    ("C071", CONSTRAINT + "must_match = '(a{1000}){1000}'\n", "3:14", "too large to be compiled"),
    ("C072", CONSTRAINT + "json = false\n", "1:1", "it asks for nothing"),
    ("C072", CONSTRAINT + "min_chars = 9\nmax_chars = 8\n", "3:1", "swap min_chars and max_chars"),
    ("C073", 2 * (CONSTRAINT + "json = true\n"), "5:1", "the same name twice"),
    ("C018", "[[tool]]\nname = 'x'\ntimeout = '5 sec'\n", "3:11", "write 5s or 800ms"),
    ("C026", "[[tool]]\nname = 'x'\ntimeout = '0s'\n", "3:11", "out of range"),
    (
        "C030",
        "[[data_flow]]\ndata_class = 'x'\nprovider = 'y'\napproved_on = 'soon'\n",
        "4:15",
        "2026-11-16",
    ),
    ("C008", "[[signoff]]\nrole = 'legal'\ndate = 2026-11-01\n", "1:1", "'by'"),
    ("C026", "[[action]]\nname = 'refund'\ntier = 4\n", "3:8", "from 1 to 3"),
    ("C026", "[evals]\nbar = 90\n", "2:7", "0.9 or 90%"),
    ("C026", "[evals]\nthresholds = { faith = 8 }\n", "2:24", "8 is not a ratio"),
    ("C007", "[alert]\nindicator = 'error_rate'\n", "1:1", "a list of tables"),
    ("C007", "[[owners]]\neval = 'x'\n", "1:1", "a table is expected"),
    (
        "C051",
        '[[prices.model]]\nmodel = "m"\ninput = "2 EUR"\noutput = "$3"\n',
        "3:9",
        "'2 EUR' is not an amount in US dollars",
    ),
    (
        "C052",
        '[[prices.model]]\nmodel = "m"\nper_call = "$1"\n[[prices.model]]\nmodel = "m"\n'
        'per_call = "$2"\n',
        "4:1",
        "see line 1, column 1",
    ),
    (
        "C065",
        "[slo.error_rate]\nlimit = '<= 1%'\nslice = '7h'\nslices = '>= 9%'\n",
        "3:9",
        "write 5m, 10m",
    ),
    (
        "C064",
        "[slo.error_rate]\nlimit = '<= 1%'\ngroup_by = 'modle'\n",
        "3:12",
        "did you mean 'model'?",
    ),
    ("C061", PAIR.replace("1h", "an hour"), "4:8", "write a time such as 5m"),
    ("C062", PAIR.replace("5m", "2m"), "5:9", "narrower than the 5-minute bins"),
    ("C063", PAIR.replace("5m", "2h"), "5:9", "is not shorter than the long one"),
    (
        "C008",
        "[slo.error_rate]\nlimit = '<= 1%'\nwaiver = { owner = 'Jo', reason = 'x' }\n",
        "3:1",
        "'expires' must be written",
    ),
    ("C053", '[slo]\n"cost.monthly_at_target" = "<= $5k"\n', "2:1", "add calls_per_day = "),
]


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(("code", "text", "place", "says"), CASES)
def test_each_problem_has_its_code_place_and_sentence(
    code: str, text: str | bytes, place: str, says: str
) -> None:
    diagnostic = only(text)
    assert (diagnostic.code, diagnostic.where) == (code, f"readiness.toml:{place}")
    assert says in str(diagnostic)
    assert "\n" not in str(diagnostic)


def test_every_code_of_the_configuration_is_met_above() -> None:
    met = {code for code, *_ in CASES} | {"C001", "C037"}  # C037: tests/test_logo.py
    assert met == {code for code in CODES if code.startswith("C")}
