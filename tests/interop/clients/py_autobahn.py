"""autobahn: the drafts 10 to 18; up to 12 they are version 8 on the wire, then 13. Large messages go in fragments."""

from autobahn.websocket.compress import (
    PerMessageDeflateOffer, PerMessageDeflateResponse, PerMessageDeflateResponseAccept)
from autobahn.twisted.websocket import WebSocketClientFactory, WebSocketClientProtocol, connectWS
from conversation import check, closer, compress, messages, origin, report, subprotocol, url, version
from twisted.internet import reactor


class Client(WebSocketClientProtocol):
    opened = False
    answered = 0
    agreed = ""

    def onConnect(self, response):
        self.agreed = response.protocol or ""
        self.extensions = ", ".join(extension.EXTENSION_NAME for extension in response.extensions)

    def onOpen(self):
        self.opened = True
        self.go()

    def go(self):
        if self.answered < len(messages):
            message = messages[self.answered]
            binary = isinstance(message, bytes)
            self.sendMessage(message if binary else message.encode(), isBinary=binary, fragmentSize=1000)
        elif closer == "client":
            self.sendClose(1000, "bye")

    def onMessage(self, payload, isBinary):
        check(payload if isBinary else payload.decode(), messages[self.answered])
        self.answered += 1
        self.go()

    def onClose(self, wasClean, code, reason):
        if not self.opened:
            report(refused=reason)
        if not wasClean or self.answered < len(messages):
            report(failed=f"closed with {code} {reason} after {self.answered} of {len(messages)} messages")
        report(extensions=self.extensions, subprotocol=self.agreed, code=self.remoteCloseCode, reason=self.remoteCloseReason or "")


factory = WebSocketClientFactory(url, origin=origin, protocols=[subprotocol] if subprotocol else [])
factory.protocol = Client
factory.setProtocolOptions(version=int(version))
if compress:
    factory.setProtocolOptions(
        perMessageCompressionOffers=[PerMessageDeflateOffer()],
        perMessageCompressionAccept=lambda offered: (
            PerMessageDeflateResponseAccept(offered) if isinstance(offered, PerMessageDeflateResponse) else None))
connectWS(factory, timeout=5)
reactor.run()
