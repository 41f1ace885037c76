"""Pricing rules, pure: no session, no clock, no chance; the same input gives the same price.

content      what a strategy says, as plain values; validation and documents check and keep it
containment  conditions as sets; crossings: which of them clash; analysis: what to tell an author
engine       one vehicle, every step explained: table, ladder, guards, rounding
vectorised   a whole stock at once: columns, sieve; the same prices to the cent
matrix       a strategy as a grid for a screen, and how two differ
"""
