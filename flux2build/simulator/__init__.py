"""A server that speaks the providers' APIs, draws sketches, and goes wrong on request."""

from flux2build.simulator.scenario import Rule, Scenario, load
from flux2build.simulator.server import app, running, serve, spawned

__all__ = ["Rule", "Scenario", "app", "load", "running", "serve", "spawned"]
