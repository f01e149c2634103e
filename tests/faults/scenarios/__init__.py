"""What the engine's guards are for, played on an in-memory log: each tells the harm that was done.

A scenario does what happens in the field, obeys the command that a stop names, lets whoever is left
go on, and compares what is published and kept with what the log says. No harm is an empty answer.
"""
