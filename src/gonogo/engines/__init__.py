"""Engines that count on many machines; each is imported only where it is asked for."""
