"""Vega-Lite specifications to SVG fit for a page, in processes of their own."""
