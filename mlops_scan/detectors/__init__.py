"""Detector plug-ins: one module a family of practices."""
