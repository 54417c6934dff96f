"""The tokens of a source in turn, of which the parser may see some before they are taken."""

from adapters.gotpl.faults import SourceFault
from adapters.gotpl.lexer import LEFT, Token, tokens


class Lookahead:
    """Each may raise SourceFault, where what comes next is no token."""

    def __init__(self, source: str) -> None:
        self._tokens = tokens(source)
        self._ahead: list[Token] = []

    def peek(self) -> Token:
        if not self._ahead:
            self._ahead.append(next(self._tokens))
        return self._ahead[0]

    def take(self) -> Token:
        token = self.peek()
        del self._ahead[0]
        return token

    def put_back(self, *taken: Token) -> None:
        self._ahead[:0] = taken

    def peek_word(self) -> Token:
        """What comes after spaces, which are taken."""
        while self.peek().kind == "space":
            self.take()
        return self.peek()

    def expect(self, kind: str) -> Token:
        """Take what comes after spaces; another kind raises SourceFault."""
        token = self.peek_word()
        if token.kind != kind:
            raise unexpected(token)
        return self.take()

    def take_action(self, keyword: str) -> bool:
        """Whether an action that begins with the keyword comes next; both are taken if so."""
        if self.peek().kind != LEFT:
            return False
        left = self.take()
        if self.peek_word().kind == keyword:
            self.take()
            return True
        self.put_back(left)
        return False


def unexpected(token: Token) -> SourceFault:
    return SourceFault(f"unexpected {token.text or token.kind}", token.at)
