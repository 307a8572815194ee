"""The local SageMaker misbehaves like AWS on request.

A scenario is a list of rules and a seed; it lives in memory alone. `reading.py` makes one of JSON,
`rules.py` says what there is, `force.py` what the rules in force do now.
"""
