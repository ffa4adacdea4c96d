"""What each diagnostic code of the command line, saved results and the input means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Explanation:
    """One code: a title of a few words, what it means, and what to do about it."""

    title: str
    text: str
    todo: str


USAGE: Final = {
    "U001": Explanation(
        "unknown diagnostic code",
        "Codes are a letter and three digits, such as C005: C is the configuration, U the command "
        "line, I the input, R saved results, D notes on the quality of the data.",
        "Copy the code from the message.",
    ),
    "U002": Explanation(
        "a period or a time cannot be understood",
        "A period is last-week, an ISO week such as 2026-W47, or FROM..TO in dates (TO included) "
        "or times (TO excluded); a time has its date: 2026-11-18T13:00. Weeks, dates and times "
        "without a zone are those of the declared time zone.",
        "Write it in one of these forms. Without --period everything in the input is looked at.",
    ),
    "U003": Explanation(
        "--where is not KEY=VALUE of a dimension",
        "Records can be selected by a dimension: service, environment, release, prompt_version, "
        "operation, provider, model or tenant_id. The value may be a glob pattern.",
        "Write for example --where environment=production or --where 'model=gpt-4o*'.",
    ),
    "U004": Explanation(
        "no such profile",
        "The public profile shows no id, message or path; the internal one shows them scrubbed.",
        "Choose public or internal.",
    ),
    "U010": Explanation(
        "the id key cannot be used",
        "Ids are published as keyed hashes only. The key is kept in the state folder or given in "
        "GONOGO_ID_KEY; this one cannot be read or is too short to protect what it hashes.",
        "Delete the file to get a new key, or set a longer one. Hashes change with the key.",
    ),
    "U011": Explanation(
        "the file to be written is there already",
        "gonogo init does not write over a configuration that somebody may have edited. With "
        "--force it proposes [slo] anew, so that limits, agreements and waivers in it are lost; "
        "all other sections and settings of the configuration in use are kept as they are "
        "written, with the comments beside them.",
        "Choose another name with -o, or let --force replace it.",
    ),
    "U020": Explanation(
        "a published file would be too large",
        "Hosts of static sites refuse large files; gonogo stops at 100 MB a file.",
        "Show fewer values of a dimension (top in readiness.toml) or a shorter period.",
    ),
    "U021": Explanation(
        "the site would be too large",
        "Hosts of static sites refuse large sites; gonogo stops at 1 GB.",
        "Show fewer values of a dimension (top in readiness.toml) or a shorter period.",
    ),
    "U022": Explanation(
        "the output is a file",
        "A site is a folder, and there is a file of that name.",
        "Name a folder with -o.",
    ),
    "U023": Explanation(
        "the folder holds something else",
        "A build replaces the whole folder, so gonogo only writes into one that is empty, new, or "
        "holds a site of its own (which a file .gonogo-site marks).",
        "Name another folder, or put an empty .gonogo-site into this one.",
    ),
    "U024": Explanation(
        "the old site cannot be replaced",
        "The new site was built beside the old one and could not take its place.",
        "Check the permissions; where the folder is a mount point, name a folder inside of it.",
    ),
    "U060": Explanation(
        "the folder holds periods of another profile",
        "A site is published as a whole, so one of the public profile must not hold pages on which "
        "names are shown, nor one of the internal profile pages that a reader takes for complete.",
        "Publish each profile into a folder of its own. The state keeps them apart by itself.",
    ),
    "U061": Explanation(
        "the saved pages of a period cannot be read",
        "The state keeps the pages of each period, so that they can be published again as they "
        "were. This file is damaged.",
        "Remove the folder of that period from the state and build the period again from its logs.",
    ),
    "U062": Explanation(
        "the state cannot be written",
        "With --period the state is the memory of all periods. The site was published, but the "
        "next run will know this period only from the site, if it is still there.",
        "Check the permissions, or name another folder with --state.",
    ),
    "U063": Explanation(
        "a build of no period would replace a site of many",
        "With --period the output folder holds every period that was published. A build without "
        "one writes a plain site in its place, and the published periods would be gone.",
        "Add --period, or name another folder with -o.",
    ),
    "U064": Explanation(
        "--catch-up without a week, or with logs from a pipe",
        "It looks at the weeks before the one that is built, and reads the logs again for each.",
        "Use it with --period last-week or an ISO week, and with files instead of standard input.",
    ),
    "U065": Explanation(
        "an option that belongs to --period",
        "--keep and --catch-up are about a site of many periods, which --period makes.",
        "Add --period last-week, or leave the option out.",
    ),
    "U066": Explanation(
        "a file of the CI system cannot be written",
        "gonogo ci appends to the files that GITHUB_STEP_SUMMARY and GITHUB_OUTPUT name.",
        "Check the variable; outside of GitHub Actions leave it unset.",
    ),
    "U070": Explanation(
        "the folder of templates would change nothing",
        "--templates names a folder of your own templates and assets. One with the name of a "
        "built-in file goes before it; a folder without any such name, or with an asset that no "
        "page asks for, is most likely a mistake.",
        "Give files the names in docs/reference/templates.md; assets stand in assets/.",
    ),
    "U071": Explanation(
        "a template of your own cannot be used",
        "It is not valid Jinja, asks for something that a page is not given, or reaches for what "
        "the sandbox forbids. Nothing was written.",
        "What each page is given is listed in docs/reference/templates.md.",
    ),
    "U072": Explanation(
        "the single file cannot be written",
        "The site itself is in place; only the file of --single-file is missing.",
        "Name a file in a folder that gonogo may write.",
    ),
    "U073": Explanation(
        "--templates and --single-file go with one period",
        "With --period the site holds many periods, each as it was published, so their pages are "
        "made with the built-in templates and are no single file.",
        "Render one period: gonogo render site/PERIOD/readiness.json -o DIR --single-file F.html",
    ),
    "U030": Explanation(
        "no such log format",
        "--log-format takes the name of a known format, `native`, or the path of a mapping file, "
        "which ends in .toml.",
        "gonogo inspect says what the format of a file is taken for; docs/formats.md lists all.",
    ),
    "U031": Explanation(
        "a mapping file that cannot be used",
        "A mapping says in TOML where the fields of a log stand. Each problem is named with its "
        "key.",
        "docs/formats.md describes the keys; the presets in gonogo/adapters/presets are examples.",
    ),
    "U032": Explanation(
        "a sampling rate that is none",
        "A sampling rate is the share of the traffic that was logged: above 0, up to 1 or 100%.",
        "Write 0.1 or 10% where one call in ten was logged.",
    ),
    "U033": Explanation(
        "a format of another package that cannot be used",
        "An installed package registers a log format under gonogo.formats, and loading it failed.",
        "Bring that package up to date, or remove it.",
    ),
    "U034": Explanation(
        "a bill that cannot be read",
        "--invoice takes a CSV with a heading: date or month, amount in US dollars and, where the "
        "bill tells them apart, model. Amounts in another currency are not converted.",
        "Write date,model,amount and rows such as 2026-11-16,gpt-4o,12.34.",
    ),
    "I050": Explanation(
        "no such bucket",
        "The object store answers, and has no bucket (or container) of that name for you.",
        "Check the name, and the account and region that it is in.",
    ),
    "I051": Explanation(
        "an object store that refuses",
        "No credentials were found in the environment, or they may not list or read this.",
        "Set the variables that the store's own tools read, such as AWS_ACCESS_KEY_ID or "
        "GOOGLE_APPLICATION_CREDENTIALS; the permissions to list and to read are needed.",
    ),
    "I052": Explanation(
        "an object store that does not answer",
        "There is no network, a proxy is in between, or the address of the store is another one.",
        "Check the network and AWS_ENDPOINT_URL, or copy the logs to a disk first.",
    ),
    "I053": Explanation(
        "an answer of an object store",
        "The store says no for a reason that gonogo has no name for; its words are given.",
        "Try the same address with the store's own tool, such as aws s3 ls.",
    ),
    "U058": Explanation(
        "credentials in an address",
        "Addresses end up in reports and in the history of shells.",
        "Set them in the environment.",
    ),
    "U050": Explanation(
        "a pipe cannot be rolled up",
        "A rollup belongs to a file, by whose name and content it is known later.",
        "Save the input to a file first.",
    ),
    "U051": Explanation(
        "a period for a rollup",
        "A file is counted whole, so that it serves any period that it lies in.",
        "Give --period to the command that judges.",
    ),
    "U052": Explanation(
        "an objective that is not counted in many places",
        "Which values of a dimension are judged by themselves, and which requests a sample holds, "
        "is known only when all is counted; tasks see a part each.",
        "Roll up without --engine, or write an objective for each value.",
    ),
    "U053": Explanation(
        "a file in two entries of a folder of rollups",
        "One entry holds the file by itself, another one together with others, as Spark counts "
        "them; its lines would count twice.",
        "Give the arguments and the engine that the folder was made with, or another folder.",
    ),
    "U054": Explanation(
        "workers that differ",
        "Machines that count together must have the same versions of gonogo, Polars and the price "
        "list, and find the logs and the JSON schemas that [[constraint]] names: else they count "
        "differently.",
        "Give all of them the same environment, as one image or one packed virtual environment, "
        "and the same paths, as of a shared disk or an object store.",
    ),
    "U055": Explanation(
        "no Spark",
        "--engine spark needs PySpark, and PySpark needs Java 17 or newer.",
        "pip install 'gonogo[spark]', and Java from the system: apt-get install "
        "default-jre-headless.",
    ),
    "U056": Explanation(
        "Spark gave up",
        "A task failed as often as Spark is set to try it, or the cluster went away. Nothing was "
        "written.",
        "Look into Spark's own log; run it again. What runs out of memory wants larger executors.",
    ),
    "U057": Explanation(
        "a master without Spark",
        "--master says where Spark runs, and this command does not use it.",
        "Add --engine spark, or leave --master out.",
    ),
    "U012": Explanation(
        "a file cannot be written",
        "The folder does not exist or may not be written to, or the disk is full.",
        "Choose another path with -o.",
    ),
    "U013": Explanation(
        "the results of a golden set are not there",
        "--evals names a file of results: JSON lines, CSV or Parquet of your own, or what "
        "promptfoo, Inspect, DeepEval, Ragas and OpenAI evals write.",
        "Check the path. Files that [evals] names in the configuration are relative to it.",
    ),
    "U040": Explanation(
        "there is no such baseline",
        "--baseline names the readiness.json of an earlier period, or a folder that holds one: a "
        "site, or the state that a build leaves behind.",
        "Check the path. A baseline in [compare] may be absent: it is said, and nothing compared.",
    ),
    "U042": Explanation(
        "the window of an incident cannot be understood",
        "gonogo incident looks back from the newest record (--last 2h, 90m, 1d) or between two "
        "times (--since, --until), which are in the declared time zone unless they say another.",
        "Write --last 2h, or --since 2026-11-18T13:00 --until 2026-11-18T17:00.",
    ),
    "U041": Explanation(
        "--compare does not say what to compare",
        "Parts of a log are compared by a dimension: service, environment, release, "
        "prompt_version, operation, provider, model or tenant_id. What stands first is judged, "
        "what follows the two dots is what it is held against. Values may be glob patterns.",
        "Write release=2026.47..2026.46, or provider=acme for acme against all others.",
    ),
}

RESULT: Final = {
    "R001": Explanation(
        "a saved result cannot be opened",
        "The readiness.json that was named is not there, or may not be read.",
        "Check the path and the permissions.",
    ),
    "R002": Explanation(
        "not a saved result",
        "The file is not JSON, or not what gonogo build and gonogo check save.",
        "Give the readiness.json of a build.",
    ),
    "R003": Explanation(
        "a saved result that is too old",
        "An older version wrote it in a form that is no longer read. Guessing at what is missing "
        "could change a verdict.",
        "Build it again from the logs, or render it with the version that wrote it.",
    ),
    "R004": Explanation(
        "a saved result that is too new",
        "A newer version wrote it, with parts that this one does not know and would leave out.",
        "Use the version that wrote it, or a later one.",
    ),
    "R005": Explanation(
        "a saved result that is damaged",
        "The file says that it is a result of this version, but some of its values are missing or "
        "impossible, as after a cut or an edit by hand.",
        "Build it again from the logs.",
    ),
    "R006": Explanation(
        "the folder holds no finished rollup",
        "A rollup is finished when its rollup.json is there; the run that wrote it may have been "
        "interrupted.",
        "Make it again from the logs.",
    ),
    "R007": Explanation(
        "the rollup is of another version",
        "What a rollup counts changes with its schema version, and mixing versions would mix "
        "meanings.",
        "Make it again from the logs with this version.",
    ),
    "R020": Explanation(
        "the folder holds no rollups",
        "Verdicts were asked from rollups, and the folder has none that is finished.",
        "Make them with gonogo rollup LOGS -o DIR.",
    ),
    "R021": Explanation(
        "rollups made by other settings",
        "A rollup holds counts, and thresholds, prices, mapped fields, exclusions, the time zone, "
        "--where and --log-format decide what is counted. Counts made by different ones do not "
        "add up, and counts made for another limit do not say whether this one is met.",
        "Roll the files up again with the configuration at hand, or judge with the one they were "
        "made with.",
    ),
    "R022": Explanation(
        "a rollup that reaches past the period",
        "The counts of a file cannot be cut in time, and leaving out or taking in the whole file "
        "would both be wrong. Calls without a time are in no period.",
        "Keep one file a day, or give the logs themselves.",
    ),
    "R023": Explanation(
        "one file with two contents",
        "Two of the folders to merge hold a file of the same name whose contents differ: one of "
        "them is older.",
        "Roll the file up again from the content that holds, and merge then.",
    ),
    "R024": Explanation(
        "the same lines in several rollups",
        "Rollups that were made apart do not know of each other's lines, so that those logged in "
        "two files are counted twice.",
        "Roll the files up into one folder: it leaves out what it has already.",
    ),
    "R025": Explanation(
        "rollups that may share lines",
        "An entry that Spark made does not hold the identities of its lines, which would be eight "
        "bytes for each. Duplicates are found among all files of one run; where the times of two "
        "entries overlap, lines that are in both count twice, and nobody can tell.",
        "Cut the logs by day, or roll up together what overlaps.",
    ),
}
