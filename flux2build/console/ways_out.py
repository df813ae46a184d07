"""The ways in which a person can settle orders, in words."""

from __future__ import annotations

from typing import Final

from flux2build.ledger import State

MISSING: Final = "missing"
"""The state of an order whose delivered picture is not in the store any more."""
CLAIMED: Final = "claimed"
"""The state of an order that another machine of the team has claimed."""
DAMAGED: Final = "damaged"
"""The state of an order whose claim or receipt in the team's store is damaged."""

WAYS_OUT: Final = {
    State.DOUBT: (
        "Look the orders in doubt up at the provider, then\n"
        "  flux2build orders adopt ORDER TASK   it was bought: collect it\n"
        "  flux2build orders resubmit ORDER     it was not bought: let the next build send it\n"
        "  flux2build orders write-off ORDER    nobody can tell: count it as spent"
    ),
    State.KEPT: (
        "What is kept aside is not what was ordered; `flux2build orders show ORDER` says why\n"
        "  flux2build orders adopt ORDER        take it as it is\n"
        "  flux2build orders adopt ORDER FILE   take a file that you had from the provider\n"
        "  flux2build orders write-off ORDER    give it up: it stays paid, the next build orders anew"
    ),
    State.LOST: (
        "What is lost was paid for, and the provider does not have it any more\n"
        "  flux2build orders adopt ORDER FILE   take a file that you had from the provider\n"
        "  flux2build orders adopt ORDER TASK   it has it after all: collect it\n"
        "  flux2build orders resubmit ORDER     give it up: it stays paid, the next build orders anew"
    ),
    State.PENDING: "The next build collects what is pending, free.",
    State.DELIVERED: (
        f"What is {MISSING} was paid for, and its bytes are not in the store\n"
        "  flux2build build                     takes them from its file, or says where they may be\n"
        "  flux2build orders resubmit ORDER     give it up: it stays paid, the next build orders anew"
    ),
    CLAIMED: (
        "What is claimed was ordered by another machine of the team, or is being ordered\n"
        "  flux2build build                     waits for it, and collects what has a ticket\n"
        "  flux2build orders adopt ORDER TASK   it was bought, and nobody is at it: collect it\n"
        "  flux2build orders resubmit ORDER     it was not bought: let the next build send it\n"
        "  flux2build orders write-off ORDER    nobody can tell: count it as spent"
    ),
    DAMAGED: (
        "What is damaged in the team's store may have been bought: look it up at the provider, then\n"
        "  flux2build store push                it is in the lock of a machine: share its receipt there\n"
        "  flux2build orders adopt ORDER TASK   it was bought: collect it\n"
        "  flux2build orders resubmit ORDER     it was not bought: let the next build send it\n"
        "  flux2build orders write-off ORDER    nobody can tell: count it as spent"
    ),
}
"""The ways out by the state of an order; a delivered order needs one if its picture is missing."""
