"""Renderings of a ReadinessResult that are not the site: one small module each."""
