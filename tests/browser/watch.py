"""Whoever opens the page watches it: anything a person with the browser's tools open would frown at fails the test."""

from __future__ import annotations

from urllib.parse import urlsplit

from playwright.async_api import ConsoleMessage, Dialog, Error, Page, Request, Response

#: Put into every page before its own code runs: what the policy stopped is said where we listen.
REPORT_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (event) =>
  console.error(`policy violated: ${event.effectiveDirective} ${event.blockedURI} ${event.sample}`));
"""


class Watch:
    """Listens to one page and writes down every complaint."""

    def __init__(self, page: Page, home: str) -> None:
        self.complaints: list[str] = []
        self._host = urlsplit(home).netloc
        page.on("console", self._console)
        page.on("pageerror", self._error)
        page.on("dialog", self._dialog)
        page.on("request", self._request)
        page.on("response", self._response)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning", "assert"}:
            self.complaints.append(f"console {message.type}: {message.text}")

    def _error(self, error: Error) -> None:
        self.complaints.append(f"uncaught: {error}")

    async def _dialog(self, dialog: Dialog) -> None:
        # The page opens none; this is what the corpus tries first.
        self.complaints.append(f"something ran and opened a dialog: {dialog.message}")
        await dialog.dismiss()

    def _request(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme in {"http", "https", "ws", "wss"} and address.netloc != self._host:
            self.complaints.append(f"asked another address: {request.url}")

    def _response(self, response: Response) -> None:
        if response.status >= 400:
            self.complaints.append(f"{response.status} for {response.url}")
