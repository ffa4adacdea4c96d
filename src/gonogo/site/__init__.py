"""The static site: contexts as frozen dataclasses, Jinja templates, a writer that swaps.

files = render(result, charts.render(result))   # relative path -> bytes
write(files, Path("site"))                      # beside, then swapped in
"""

from gonogo.site.history import render_history
from gonogo.site.render import render
from gonogo.site.templates import templates_dir
from gonogo.site.writer import check_target, write, written

__all__ = ["check_target", "render", "render_history", "templates_dir", "write", "written"]
