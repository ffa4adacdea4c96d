"""The static site: contexts as frozen dataclasses, Jinja templates, a writer that swaps.

files = render(result, charts.render(result))   # relative path -> bytes
write(files, Path("site"))                      # beside, then swapped in
write_one(single_file(files), Path("all.html")) # the whole site as one file
"""

from gonogo.site.history import render_history
from gonogo.site.render import render
from gonogo.site.single import single_file
from gonogo.site.templates import templates_dir
from gonogo.site.writer import check_target, write, write_one, written

__all__ = [
    "check_target",
    "render",
    "render_history",
    "single_file",
    "templates_dir",
    "write",
    "write_one",
    "written",
]
