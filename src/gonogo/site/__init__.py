"""The static site: contexts as frozen dataclasses, Jinja templates, a writer that swaps.

files = render(result, charts.render(result))   # relative path -> bytes
write(files, Path("site"))                      # beside, then swapped in
"""

from gonogo.site.render import render
from gonogo.site.templates import templates_dir
from gonogo.site.writer import write

__all__ = ["render", "templates_dir", "write"]
