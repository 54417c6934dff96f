"""Pipes and parentheses."""

from collections.abc import Sequence

ACTIONS: Sequence[str] = (
    ".name | print | len",
    ".name | printf `%s-%s` `x`",
    "(print 1) | print (print 2)",
    "1 | print 2 3",
    "((((1))))",
    "()",
    "(1",
    "1)",
    "| print",
    "print |",
    "print | | print",
    "1 | 2",
    ".name | .count",
    ".name | $",
    ".name | `x`",
    "print (1 | print) | len",
    "print(1)",
    "print (1)(2)",
    "print 1,2",
    "1 | nil",
    "nil | print",
    ".name|print",
    "print\t1\n2",
    "printf `%d` 1|len",
    "(nil)",
    ".name | (print)",
    "1 | (len)",
)
