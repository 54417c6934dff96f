"""What stands in an action is read here: pipelines of commands, and their operands."""

from collections.abc import Collection

from adapters.gotpl import constants, syntax
from adapters.gotpl.faults import SourceFault, UnknownFunction
from adapters.gotpl.lexer import RIGHT, Token
from adapters.gotpl.lookahead import Lookahead, unexpected
from adapters.gotpl.nesting import Nesting

_OPERANDS = frozenset(
    {"boolean", "character", "complex", "dot", "field", "word", "number", "nil"}
    | {"string", "variable", "("}
)
_CONSTANTS = (syntax.Boolean, syntax.Dot, syntax.Nil, syntax.Number, syntax.Text)


class Expressions:
    """Of one source: what is read is taken from the tokens. `variables` are those known so far."""

    def __init__(self, tokens: Lookahead, functions: Collection[str], nesting: Nesting) -> None:
        self.variables = ["$"]
        self._tokens = tokens
        self._functions = functions
        self._nesting = nesting

    def pipeline(self, end: str, most_declared: int = 1) -> syntax.Pipeline:
        """Up to the end, which is taken too. Raises SourceFault."""
        start = self._tokens.peek_word()
        declared, is_assignment = self._declared(most_declared)
        commands: list[syntax.Command] = []
        while (token := self._tokens.peek_word()).kind != end:
            if token.kind not in _OPERANDS:
                raise unexpected(token)
            command = self._command()
            if commands and isinstance(command.operands[0], _CONSTANTS):
                raise SourceFault("a value cannot be piped into a constant", command.at)
            commands.append(command)
        if not commands:
            raise SourceFault("missing value for command", token.at)
        self._tokens.take()
        return syntax.Pipeline(start.at, declared, is_assignment, tuple(commands))

    def _declared(self, most: int) -> tuple[tuple[str, ...], bool]:
        """The names before `:=` or `=`, and whether it is the latter."""
        declared: list[str] = []
        while self._tokens.peek_word().kind == "variable":
            variable = self._tokens.take()
            space = [self._tokens.take()] if self._tokens.peek().kind == "space" else []
            following = self._tokens.peek()
            is_list = following.kind == ","
            if not is_list and following.kind not in (":=", "="):
                self._tokens.put_back(variable, *space)
                break
            self._tokens.take()
            declared.append(variable.text)
            self.variables.append(variable.text)
            if not is_list:
                return tuple(declared), following.kind == "="
            if len(declared) >= most:
                raise SourceFault("too many variables are declared", following.at)
            if self._tokens.peek_word().kind not in ("variable", RIGHT, ")"):
                raise SourceFault("after the comma there must be a variable", following.at)
        return tuple(declared), False

    def _command(self) -> syntax.Command:
        at = self._tokens.peek_word().at
        operands: list[syntax.Operand] = []
        while True:
            if self._tokens.peek_word().kind in _OPERANDS:
                operands.append(self._operand())
            token = self._tokens.peek()
            if token.kind in (RIGHT, ")"):
                break
            self._tokens.take()
            if token.kind == "|":
                break
            if token.kind != "space":
                raise unexpected(token)
        if not operands:
            raise SourceFault("missing value for command", at)
        return syntax.Command(at, tuple(operands))

    def _operand(self) -> syntax.Operand:
        operand = self._term(self._tokens.take())
        if self._tokens.peek().kind != "field":
            return operand
        at = self._tokens.peek().at
        path = self._path()
        match operand:
            case syntax.Field(path=before):
                return syntax.Field(at, before + path)
            case syntax.Variable(name=name):
                return syntax.Variable(at, name, path)
        if isinstance(operand, _CONSTANTS):
            raise SourceFault("a constant has no fields", at)
        return syntax.Chain(at, operand, path)

    def _path(self) -> tuple[str, ...]:
        path: list[str] = []
        while self._tokens.peek().kind == "field":
            path.append(self._tokens.take().text[1:])
        return tuple(path)

    def _term(self, token: Token) -> syntax.Operand:
        match token.kind:
            case "word":
                if token.text not in self._functions:
                    raise UnknownFunction(token.text, token.at)
                return syntax.Function(token.at, token.text)
            case "dot":
                return syntax.Dot(token.at)
            case "nil":
                return syntax.Nil(token.at)
            case "variable":
                if token.text not in self.variables:
                    raise SourceFault(f"there is no variable {token.text}", token.at)
                return syntax.Variable(token.at, token.text)
            case "field":
                return syntax.Field(token.at, (token.text[1:],))
            case "boolean":
                return syntax.Boolean(token.at, token.text == "true")
            case "string":
                return syntax.Text(token.at, constants.text(token))
            case "(":
                with self._nesting.deeper(token.at):
                    return self.pipeline(")")
        return constants.number(token)
