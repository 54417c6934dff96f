"""The parser reads a source as Go's does, and refuses it where Go's would."""

from collections.abc import Collection

from adapters.gotpl import constants
from adapters.gotpl.lexer import LEFT, RIGHT, Token, tokens
from adapters.gotpl.syntax import (
    Action,
    Boolean,
    Branch,
    Break,
    Call,
    Chain,
    Command,
    Continue,
    Dot,
    Field,
    Function,
    Literal,
    Nil,
    Node,
    Number,
    Operand,
    Pipeline,
    Range,
    SourceFault,
    Template,
    Text,
    Variable,
)

MOST_NESTED = 100
"""Deeper ones, of blocks or of parentheses, are refused before Python's own depth is used up."""

_OPERANDS = frozenset(
    {"boolean", "character", "complex", "dot", "field", "word", "number", "nil"}
    | {"string", "variable", "("}
)
_CONSTANTS = (Boolean, Dot, Nil, Number, Text)


class UnknownFunction(SourceFault):
    """The source calls what is not there."""

    def __init__(self, name: str, at: int) -> None:
        super().__init__(f"there is no function {name}", at)
        self.name = name


def parse(source: str, functions: Collection[str]) -> Template:
    """The template that the source is. Raises SourceFault."""
    return _Parser(source, functions).template()


class _Parser:
    def __init__(self, source: str, functions: Collection[str]) -> None:
        self._source = source
        self._functions = functions
        self._tokens = tokens(source)
        self._ahead: list[Token] = []
        self._defined: dict[str, tuple[Node, ...]] = {}
        self._variables = ["$"]
        self._ranges = 0
        self._depth = 0

    # What stands where.

    def template(self) -> Template:
        nodes: list[Node] = []
        while self._peek().kind != "end of source":
            if self._starts("define"):
                self._definition()
            else:
                nodes.append(self._node(self._peek()))
        return Template(self._source, tuple(nodes), self._defined)

    def _starts(self, keyword: str) -> bool:
        """Whether an action that begins with the keyword comes next; it is taken if so."""
        if self._peek().kind != LEFT:
            return False
        left = self._next()
        if self._peek_word().kind == keyword:
            self._next()
            return True
        self._ahead.insert(0, left)
        return False

    def _list(self, *ends: str) -> tuple[tuple[Node, ...], str]:
        """The nodes until one of the ends, which is taken up to its own rest."""
        nodes: list[Node] = []
        self._depth += 1
        if self._depth > MOST_NESTED:
            raise SourceFault("exceeds the nesting limit", self._peek().at)
        while (token := self._peek()).kind != "end of source":
            for end in ("end", "else"):
                if self._starts(end):
                    if end not in ends:
                        raise SourceFault(f"unexpected {end}", token.at)
                    self._depth -= 1
                    return tuple(nodes), end
            nodes.append(self._node(token))
        raise SourceFault("the source ends before {{ end }}", token.at)

    def _node(self, token: Token) -> Node:
        if token.kind == "literal":
            self._next()
            return Literal(token.at, token.text)
        self._expect(LEFT)
        keyword = self._peek_word()
        match keyword.kind:
            case "if" | "with" | "range":
                self._next()
                return self._control(keyword.kind)
            case "break" | "continue":
                self._next()
                self._expect(RIGHT)
                if not self._ranges:
                    raise SourceFault(f"{keyword.kind} stands outside of a range", keyword.at)
                return (Break if keyword.kind == "break" else Continue)(keyword.at)
            case "template":
                self._next()
                return self._call()
            case "block":
                self._next()
                return self._block()
            case "end" | "else" | "define":
                raise SourceFault(f"unexpected {keyword.kind}", token.at)
        return Action(keyword.at, self._pipeline(RIGHT))

    def _control(self, keyword: str) -> Node:
        outside = len(self._variables)
        pipeline = self._pipeline(RIGHT, most_declared=2 if keyword == "range" else 1)
        self._ranges += keyword == "range"
        body, end = self._list("end", "else")
        self._ranges -= keyword == "range"
        otherwise: tuple[Node, ...] = ()
        if end == "else":
            otherwise = self._otherwise(keyword)
        else:
            self._expect(RIGHT)
        del self._variables[outside:]
        if keyword == "range":
            return Range(pipeline.at, pipeline, body, otherwise)
        return Branch(pipeline.at, pipeline, body, otherwise, keyword == "with")

    def _otherwise(self, keyword: str) -> tuple[Node, ...]:
        if keyword != "range" and self._peek_word().kind == keyword:
            self._next()
            self._depth += 1
            if self._depth > MOST_NESTED:
                raise SourceFault("exceeds the nesting limit", self._peek().at)
            node = self._control(keyword)
            self._depth -= 1
            return (node,)
        self._expect(RIGHT)
        nodes, _ = self._list("end")
        self._expect(RIGHT)
        return nodes

    def _call(self) -> Call:
        at, name = self._template_name()
        if self._peek_word().kind == RIGHT:
            self._next()
            return Call(at, name, None)
        return Call(at, name, self._pipeline(RIGHT))

    def _block(self) -> Call:
        at, name = self._template_name()
        pipeline = self._pipeline(RIGHT)
        self._define(name)
        return Call(at, name, pipeline)

    def _definition(self) -> None:
        _, name = self._template_name()
        self._expect(RIGHT)
        self._define(name)

    def _template_name(self) -> tuple[int, str]:
        token = self._expect("string")
        return token.at, constants.text(token)

    def _define(self, name: str) -> None:
        """Read a body that knows nothing of what stands around it."""
        around = self._variables, self._ranges
        self._variables, self._ranges = ["$"], 0
        body, _ = self._list("end")
        end = self._expect(RIGHT)
        self._variables, self._ranges = around
        if not self._defined.get(name) or _is_empty(self._defined[name]):
            self._defined[name] = body
        elif not _is_empty(body):
            raise SourceFault(f"the template {name} is defined twice", end.at)

    # What stands in an action.

    def _pipeline(self, end: str, most_declared: int = 1) -> Pipeline:
        start = self._peek_word()
        declared, is_assignment = self._declared(most_declared)
        commands: list[Command] = []
        while (token := self._peek_word()).kind != end:
            if token.kind not in _OPERANDS:
                raise self._unexpected(token)
            command = self._command()
            if commands and isinstance(command.operands[0], _CONSTANTS):
                raise SourceFault("a value cannot be piped into a constant", command.at)
            commands.append(command)
        if not commands:
            raise SourceFault("missing value for command", token.at)
        self._next()
        return Pipeline(start.at, declared, is_assignment, tuple(commands))

    def _declared(self, most: int) -> tuple[tuple[str, ...], bool]:
        declared: list[str] = []
        while self._peek_word().kind == "variable":
            variable = self._next()
            space = [self._next()] if self._peek().kind == "space" else []
            following = self._peek()
            is_list = following.kind == ","
            if not is_list and following.kind not in (":=", "="):
                self._ahead[:0] = [variable, *space]
                break
            self._next()
            declared.append(variable.text)
            self._variables.append(variable.text)
            if not is_list:
                return tuple(declared), following.kind == "="
            if len(declared) >= most:
                raise SourceFault("too many variables are declared", following.at)
            if self._peek_word().kind not in ("variable", RIGHT, ")"):
                raise SourceFault("after the comma there must be a variable", following.at)
        return tuple(declared), False

    def _command(self) -> Command:
        at = self._peek_word().at
        operands: list[Operand] = []
        while True:
            if self._peek_word().kind in _OPERANDS:
                operands.append(self._operand())
            token = self._peek()
            if token.kind in (RIGHT, ")"):
                break
            self._next()
            if token.kind == "|":
                break
            if token.kind != "space":
                raise self._unexpected(token)
        if not operands:
            raise SourceFault("missing value for command", at)
        return Command(at, tuple(operands))

    def _operand(self) -> Operand:
        operand = self._term(self._next())
        if self._peek().kind != "field":
            return operand
        at = self._peek().at
        path: list[str] = []
        while self._peek().kind == "field":
            path.append(self._next().text[1:])
        match operand:
            case Field(path=before):
                return Field(at, (*before, *path))
            case Variable(name=name):
                return Variable(at, name, tuple(path))
            case Nil() | Dot() | Boolean() | Number() | Text():
                raise SourceFault("a constant has no fields", at)
        return Chain(at, operand, tuple(path))

    def _term(self, token: Token) -> Operand:
        match token.kind:
            case "word":
                if token.text not in self._functions:
                    raise UnknownFunction(token.text, token.at)
                return Function(token.at, token.text)
            case "dot":
                return Dot(token.at)
            case "nil":
                return Nil(token.at)
            case "variable":
                if token.text not in self._variables:
                    raise SourceFault(f"there is no variable {token.text}", token.at)
                return Variable(token.at, token.text)
            case "field":
                return Field(token.at, (token.text[1:],))
            case "boolean":
                return Boolean(token.at, token.text == "true")
            case "string":
                return Text(token.at, constants.text(token))
            case "(":
                return self._parenthesised(token)
        return constants.number(token)

    def _parenthesised(self, token: Token) -> Pipeline:
        self._depth += 1
        if self._depth > MOST_NESTED:
            raise SourceFault("exceeds the nesting limit", token.at)
        pipeline = self._pipeline(")")
        self._depth -= 1
        return pipeline

    # Tokens.

    def _peek(self) -> Token:
        if not self._ahead:
            self._ahead.append(next(self._tokens))
        return self._ahead[0]

    def _next(self) -> Token:
        token = self._peek()
        del self._ahead[0]
        return token

    def _peek_word(self) -> Token:
        """What comes after spaces."""
        while self._peek().kind == "space":
            self._next()
        return self._peek()

    def _expect(self, kind: str) -> Token:
        token = self._peek_word()
        if token.kind != kind:
            raise self._unexpected(token)
        return self._next()

    def _unexpected(self, token: Token) -> SourceFault:
        return SourceFault(f"unexpected {token.text or token.kind}", token.at)


def _is_empty(nodes: tuple[Node, ...]) -> bool:
    return all(isinstance(node, Literal) and not node.text.strip() for node in nodes)
