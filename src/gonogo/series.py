"""A site of many periods: which are known, which are new, and how they are published together.

The site on one side, the archive in the state on the other; either is enough to know the other's
periods again. Where both have a period and differ, the one with more editions is right.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gonogo import __version__
from gonogo.errors import Diagnostic, InputError, UsageError
from gonogo.history import Archive, Entry, edition, is_period, read
from gonogo.history.archive import RESULT
from gonogo.publish import pages
from gonogo.request import DEFAULT_STATE, Run
from gonogo.results import ReadinessResult

if TYPE_CHECKING:
    from gonogo.progress import Progress


@dataclass(frozen=True, slots=True)
class _Kept:
    """A period as it stands: its result, what that says, and whether the site has just that."""

    content: bytes
    entry: Entry
    in_site: bool
    in_archive: bool


class Series:
    """The periods of one output folder and one state."""

    def __init__(self, run: Run, output: Path) -> None:
        """Look up what is known.

        Raises:
            UsageError: the folder holds something else, or periods of another profile.
        """
        from gonogo import site

        site.check_target(output)
        self._output = output
        self._profile = run.request.profile
        self._archive = Archive(run.request.state or Path(DEFAULT_STATE), self._profile)
        self._kept = self._known()
        self._new: dict[str, dict[str, bytes]] = {}

    def _known(self) -> dict[str, _Kept]:
        stored = self._archive.results()
        published = _published(self._output)
        kept = {}
        for name in sorted(stored.keys() | published.keys()):
            # As a rule both have the same, which is read once.
            contents = dict.fromkeys((stored.get(name), published.get(name)))
            choices = [
                (content, entry)
                for content in contents
                if content is not None and (entry := read(content, name)) is not None
            ]
            if not choices:
                continue
            content, entry = max(choices, key=lambda choice: len(choice[1].editions))
            if entry.profile != self._profile:
                what = f"holds {name} as published under the {entry.profile} profile"
                hint = f"publish the {self._profile} profile into a folder of its own"
                raise UsageError((Diagnostic("U060", str(self._output), what, hint),))
            kept[name] = _Kept(
                content, entry, published.get(name) == content, stored.get(name) == content
            )
        return kept

    def entry(self, name: str) -> Entry | None:
        """What is known of a period; None where it was never published."""
        kept = self._kept.get(name)
        return kept.entry if kept else None

    def before(self, start: int | None) -> Path | None:
        """The saved result of the newest period with calls that had ended at `start`, if any."""
        ended = [
            kept
            for kept in self._kept.values()
            if start is not None
            and kept.entry.end is not None
            and kept.entry.end <= start
            and kept.entry.calls
        ]
        newest = max(ended, key=lambda kept: kept.entry.order, default=None)
        if newest is None:
            return None
        name = newest.entry.name
        place = self._output / name / RESULT if newest.in_site else self._archive.result(name)
        return place if place.is_file() else None

    def refuse_loss(self, name: str, calls: int) -> None:
        """Raise InputError where a period that was judged from calls would be published with none.

        Logs that were removed since are no reason to take back what they said.
        """
        entry = self.entry(name)
        if entry and entry.calls and not calls:
            what = f"the logs hold no call of it any more, an earlier run counted {entry.calls:,}"
            hint = "its page stays as it was; to have it judged again, bring its logs back"
            raise InputError((Diagnostic("I043", name, what, hint),))

    def is_news(self, name: str, result: ReadinessResult) -> bool:
        """Whether a period is not there yet, is provisional no more, or would get an edition."""
        entry = self.entry(name)
        if entry is None or (entry.provisional and not result.period.provisional):
            return True
        return len(edition(result, entry).revisions) > len(entry.editions)

    def add(self, name: str, result: ReadinessResult, progress: Progress) -> ReadinessResult:
        """Take up a period as judged now; returns the result with its editions."""
        site = result.site.model_copy(update={"history": True})
        result = edition(result.model_copy(update={"site": site}), self.entry(name))
        files = pages(result, progress)
        entry = read(files[RESULT], name)
        assert entry is not None
        self._new[name] = files
        self._kept[name] = _Kept(files[RESULT], entry, in_site=False, in_archive=False)
        return result

    def save(self, name: str) -> None:
        """Keep a period in the state before the site is written, for the periods after it.

        Raises:
            UsageError: the state cannot be written.
        """
        self._archive.save(name, self._new[name])

    def publish(self, keep: int | None) -> None:
        """Write the site of the newest `keep` periods (None: all), then keep them in the state.

        Raises:
            UsageError: the site or the state cannot be written.
        """
        from gonogo import site
        from gonogo.exports import atom
        from gonogo.exports.badge import badge_of

        entries = sorted((kept.entry for kept in self._kept.values()), key=lambda e: e.order)
        shown = entries[-keep:] if keep else entries
        self._adopt()
        files = site.render_history(shown, f"gonogo {__version__}")
        files["feed.xml"] = atom.atom_xml(shown).encode()
        files |= {name: content.encode() for name, content in badge_of(shown[-1].verdict).items()}
        carried = []
        for entry in shown:
            if entry.name not in self._new and self._kept[entry.name].in_site:
                carried.append(entry.name)
                continue
            pages = self._new.get(entry.name) or self._archive.pages(entry.name)
            files |= {f"{entry.name}/{path}": content for path, content in pages.items()}
        site.write(files, self._output, carried)
        for name, pages in self._new.items():
            self._archive.save(name, pages)

    def rollup(self, name: str) -> Path:
        """Where the rollup of a period belongs."""
        return self._archive.rollup(name)

    def _adopt(self) -> None:
        """Periods that only the site knows, as after a lost state, go into the archive."""
        for name, kept in self._kept.items():
            if name not in self._new and kept.in_site and not kept.in_archive:
                folder = self._output / name
                files = {
                    path.relative_to(folder).as_posix(): path.read_bytes()
                    for path in sorted(folder.rglob("*"))
                    if path.is_file()
                }
                self._archive.save(name, files)


def refuse_periods(output: Path, keep: int | None, catch_up: int) -> None:
    """Raise UsageError where a build without a period would wipe out a site of many.

    Nor are `keep` and `catch_up` of any use without one.
    """
    known = len(_published(output))
    if known:
        what = f"holds a site of {known} periods, and this build is of no period"
        hint = "add --period last-week or the like, or name another folder"
        raise UsageError((Diagnostic("U063", str(output), what, hint),))
    for option, value in (("--keep", keep), ("--catch-up", catch_up)):
        if value:
            what, hint = "is of use with --period alone", "add --period last-week"
            raise UsageError((Diagnostic("U065", option, what, hint),))


def _published(output: Path) -> dict[str, bytes]:
    from gonogo import site

    names = sorted(name for name in site.written(output) if is_period(name))
    results = {name: output / name / RESULT for name in names}
    return {name: path.read_bytes() for name, path in results.items() if path.is_file()}
