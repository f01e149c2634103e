"""Protocols and plain values between the engine and the outside."""
