"""The parser reads a source as Go's does, and refuses it where Go's would."""

from collections.abc import Collection

from adapters.gotpl import constants, syntax
from adapters.gotpl.expressions import Expressions
from adapters.gotpl.faults import SourceFault
from adapters.gotpl.lexer import LEFT, RIGHT, Token
from adapters.gotpl.lookahead import Lookahead
from adapters.gotpl.nesting import Nesting

_END_OF_SOURCE = "end of source"


def parse(source: str, functions: Collection[str]) -> syntax.Template:
    """The template that the source is. Raises SourceFault."""
    return _Parser(source, functions).template()


class _Parser:
    """What stands between the actions, and what the actions that begin with a keyword hold."""

    def __init__(self, source: str, functions: Collection[str]) -> None:
        self._source = source
        self._tokens = Lookahead(source)
        self._nesting = Nesting()
        self._expressions = Expressions(self._tokens, functions, self._nesting)
        self._defined: dict[str, tuple[syntax.Node, ...]] = {}
        self._ranges = 0

    def template(self) -> syntax.Template:
        nodes: list[syntax.Node] = []
        while self._tokens.peek().kind != _END_OF_SOURCE:
            if self._tokens.take_action("define"):
                self._definition()
            else:
                nodes.append(self._node(self._tokens.peek()))
        return syntax.Template(self._source, tuple(nodes), self._defined)

    def _list(self, *ends: str) -> tuple[tuple[syntax.Node, ...], str]:
        """The nodes until one of the ends, which is taken up to its own rest."""
        nodes: list[syntax.Node] = []
        with self._nesting.deeper(self._tokens.peek().at):
            while (token := self._tokens.peek()).kind != _END_OF_SOURCE:
                for end in ("end", "else"):
                    if self._tokens.take_action(end):
                        if end not in ends:
                            raise SourceFault(f"unexpected {end}", token.at)
                        return tuple(nodes), end
                nodes.append(self._node(token))
        raise SourceFault("the source ends before {{ end }}", token.at)

    def _node(self, token: Token) -> syntax.Node:
        if token.kind == "literal":
            self._tokens.take()
            return syntax.Literal(token.at, token.text)
        self._tokens.expect(LEFT)
        keyword = self._tokens.peek_word()
        match keyword.kind:
            case "if" | "with" | "range":
                self._tokens.take()
                return self._control(keyword.kind)
            case "break" | "continue":
                self._tokens.take()
                return self._jump(keyword)
            case "template":
                self._tokens.take()
                return self._call()
            case "block":
                self._tokens.take()
                return self._block()
            case "end" | "else" | "define":
                raise SourceFault(f"unexpected {keyword.kind}", token.at)
        return syntax.Action(keyword.at, self._expressions.pipeline(RIGHT))

    def _jump(self, keyword: Token) -> syntax.Break | syntax.Continue:
        self._tokens.expect(RIGHT)
        if not self._ranges:
            raise SourceFault(f"{keyword.kind} stands outside of a range", keyword.at)
        return (syntax.Break if keyword.kind == "break" else syntax.Continue)(keyword.at)

    def _control(self, keyword: str) -> syntax.Node:
        outside = len(self._expressions.variables)
        most_declared = 2 if keyword == "range" else 1
        pipeline = self._expressions.pipeline(RIGHT, most_declared)
        self._ranges += keyword == "range"
        body, end = self._list("end", "else")
        self._ranges -= keyword == "range"
        otherwise = self._otherwise(keyword, end)
        del self._expressions.variables[outside:]
        if keyword == "range":
            return syntax.Range(pipeline.at, pipeline, body, otherwise)
        return syntax.Branch(pipeline.at, pipeline, body, otherwise, keyword == "with")

    def _otherwise(self, keyword: str, end: str) -> tuple[syntax.Node, ...]:
        """What comes after the body, if it ends with `else`."""
        if end == "end":
            self._tokens.expect(RIGHT)
            return ()
        if keyword != "range" and self._tokens.peek_word().kind == keyword:
            self._tokens.take()
            with self._nesting.deeper(self._tokens.peek().at):
                return (self._control(keyword),)
        self._tokens.expect(RIGHT)
        nodes, _ = self._list("end")
        self._tokens.expect(RIGHT)
        return nodes

    def _call(self) -> syntax.Call:
        at, name = self._template_name()
        if self._tokens.peek_word().kind == RIGHT:
            self._tokens.take()
            return syntax.Call(at, name, None)
        return syntax.Call(at, name, self._expressions.pipeline(RIGHT))

    def _block(self) -> syntax.Call:
        at, name = self._template_name()
        pipeline = self._expressions.pipeline(RIGHT)
        self._define(name)
        return syntax.Call(at, name, pipeline)

    def _definition(self) -> None:
        _, name = self._template_name()
        self._tokens.expect(RIGHT)
        self._define(name)

    def _template_name(self) -> tuple[int, str]:
        token = self._tokens.expect("string")
        return token.at, constants.text(token)

    def _define(self, name: str) -> None:
        """Read a body that knows nothing of what stands around it."""
        around = self._expressions.variables, self._ranges
        self._expressions.variables, self._ranges = ["$"], 0
        body, _ = self._list("end")
        end = self._tokens.expect(RIGHT)
        self._expressions.variables, self._ranges = around
        if not self._defined.get(name) or _is_empty(self._defined[name]):
            self._defined[name] = body
        elif not _is_empty(body):
            raise SourceFault(f"the template {name} is defined twice", end.at)


def _is_empty(nodes: tuple[syntax.Node, ...]) -> bool:
    return all(isinstance(node, syntax.Literal) and not node.text.strip() for node in nodes)
