"""Automation conditions: what must hold before an asset, check or job is requested, as values.

`base` holds the class that users combine and subclass, `operators`, `scopes` and `leaves` the conditions that come with
Segue. They are loaded together, because the static methods of the base name them. What a condition means, given what is
recorded, stands in `decide/automation`.
"""

from segue.model.condition import leaves as leaves
from segue.model.condition import operators as operators
from segue.model.condition import scopes as scopes
