#!/usr/bin/env python3
"""Uses the pages of the API documentation as a person does, in Debian's Chromium, and says in TAP what came of it:

    API_USERNAME=ada API_PASSWORD=… browser.py [--explorer] BASE_URL OUT_DIR

BASE_URL is where a daemon answers, with or without its prefix. Of /docs and /redoc it expects Swagger UI and Redoc, with --explorer
the daemon's own page. Screenshots go to OUT_DIR. It needs selenium, and Debian's chromium and chromium-driver.
"""

import argparse
import contextlib
import json
import os
import pathlib
import shutil
import signal
import sys
import tempfile
import urllib.request
from urllib.parse import urlsplit

from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException, WebDriverException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

STEP_SECONDS = 30
WHOLE_SECONDS = 300
METHODS = {"get", "post", "put", "patch", "delete"}


class Checks:
    """Counts and prints what was found, as TAP wants it."""

    def __init__(self):
        self.count = 0
        self.failures = 0

    def check(self, sentence, is_true, *details):
        self.count += 1
        self.failures += not is_true
        print(f"{'ok' if is_true else 'not ok'} {self.count} - {sentence}", flush=True)
        if not is_true:
            for detail in details:
                print(f"# {detail}".replace("\n", "\n# "), flush=True)

    @contextlib.contextmanager
    def step(self, sentence):
        """The sentence is true where its steps come to their end in time."""
        try:
            yield
        except WebDriverException as error:
            self.check(sentence, False, f"{type(error).__name__}: {error.msg}")
        else:
            self.check(sentence, True)


class Page:
    """A browser with one page at a time, and what it did behind the scenes."""

    def __init__(self, base, pictures, profile):
        self.base = base
        self.pictures = pictures
        options = webdriver.ChromeOptions()
        options.binary_location = shutil.which("chromium")
        for argument in (
            "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
            f"--user-data-dir={profile}", f"--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE {urlsplit(base).hostname}",
        ):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
        self.driver.set_page_load_timeout(STEP_SECONDS)
        self.driver.set_script_timeout(STEP_SECONDS)
        self.command(
            "Page.addScriptToEvaluateOnNewDocument",
            source="""window.violations = []; addEventListener("securitypolicyviolation", (event) =>
                violations.push(`${event.effectiveDirective}: ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`));""",
        )

    def command(self, name, **parameters):
        return self.driver.execute_cdp_cmd(name, parameters)

    def show(self, width, height, theme="light"):
        self.command("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.command("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": theme}])

    def open(self, path):
        """Opens it anew, with nothing noted of what came before."""
        self.driver.get("about:blank")
        self.driver.get_log("browser")
        self.driver.get_log("performance")
        self.driver.get(self.base + path)

    def wait(self, condition):
        """What the condition answers, once that is something."""
        ignored = (StaleElementReferenceException,)
        return WebDriverWait(self.driver, STEP_SECONDS, 0.1, ignored_exceptions=ignored).until(lambda _: condition())

    def find(self, xpath, within=None):
        """The first that is visible."""
        return self.wait(lambda: next((e for e in (within or self.driver).find_elements(By.XPATH, xpath) if e.is_displayed()), None))

    def click(self, xpath, within=None):
        element = self.find(xpath, within)
        self.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
        element.click()

    def write(self, element, text):
        element.send_keys(Keys.CONTROL + "a")
        element.send_keys(text)

    def picture(self, name):
        self.driver.save_screenshot(str(self.pictures / f"{name}.png"))

    def is_wider_than_window(self):
        return self.driver.execute_script("return document.documentElement.scrollWidth > innerWidth")

    def check_quiet(self, checks, name):
        """Whatever went wrong, or elsewhere, since the page was opened."""
        violations = self.driver.execute_script("return window.violations")
        checks.check(f"{name} keeps its content security policy", violations == [], *violations or ())
        errors = [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]
        checks.check(f"{name} logs no error", not errors, *errors)
        entries = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        asked = [entry["params"]["request"]["url"] for entry in entries if entry["method"] == "Network.requestWillBeSent"]
        own = urlsplit(self.base)[:2]
        foreign = [url for url in asked if urlsplit(url).scheme not in ("data", "blob", "about") and urlsplit(url)[:2] != own]
        checks.check(f"{name} asks no other host", self.base + "/openapi.json" in asked and not foreign, *foreign or asked)
        stored = self.driver.execute_script("return localStorage.length + sessionStorage.length + document.cookie.length")
        checks.check(f"{name} stores nothing in the browser", stored == 0)


def described(base):
    """The operations of the API: (tag, id) of each."""
    with urllib.request.urlopen(base + "/openapi.json", timeout=STEP_SECONDS) as answer:
        paths = json.load(answer)["paths"]
    return [(item[method]["tags"][0], item[method]["operationId"]) for item in paths.values() for method in METHODS & item.keys()]


def check_swagger_ui(page, checks, operations, username, password):
    def block(method, path):
        of = "contains(concat(' ', @class, ' '), ' opblock ')"
        return page.find(f"//div[{of}][.//span[.='{method}']][.//*[@data-path='{path}']]")

    def execute(method, path, body=None):
        page.click(".//button[contains(@class,'opblock-summary-control')]", block(method, path))
        if body is not None:
            page.write(page.find(".//textarea[contains(@class,'body-param__text')]", block(method, path)), body)
        page.click(".//button[contains(@class,'execute')]", block(method, path))
        answer = ".//table[contains(@class,'live-responses-table')]/tbody//td[contains(@class,'response-col_status')]"
        page.wait(lambda: page.find(answer, block(method, path)).text.startswith("200"))

    page.show(1280, 1000)
    with checks.step("/docs shows every operation"):
        page.open("/docs")
        page.wait(lambda: len(page.driver.find_elements(By.CLASS_NAME, "opblock")) == len(operations))
    page.picture("docs")
    with checks.step("/docs logs in with POST /auth/login"):
        execute("POST", "/auth/login", json.dumps({"username_or_email": username, "password": password}))
    page.picture("docs-login")
    with checks.step("/docs reads GET /events with the token of that log-in"):
        execute("GET", "/events")
    page.picture("docs-events")
    page.check_quiet(checks, "/docs")
    page.show(1280, 1000, "dark")
    page.picture("docs-dark")


def check_redoc(page, checks, operations):
    page.show(1400, 1000)
    with checks.step("/redoc shows every operation"):
        page.open("/redoc")
        for tag, name in operations:
            page.wait(lambda: page.driver.find_elements(By.ID, f"tag/{tag}/operation/{name}"))
    page.picture("redoc")
    with checks.step("/redoc finds an operation"):
        page.find("//input[@aria-label='Search' or @placeholder='Search...']").send_keys("events")
        page.find("//*[@data-role='search:results']//li")
    page.picture("redoc-search")
    page.check_quiet(checks, "/redoc")
    page.show(360, 800)
    page.picture("redoc-narrow")
    checks.check("/redoc fits a narrow window", not page.is_wider_than_window())


def check_explorer(page, checks, operations, username, password):
    def card(name):
        return page.find(f"//details[@id='op/{name}']")

    def execute(method, path, body=None):
        name = page.find(
            f"//details[contains(@class,'operation')][summary/b[.='{method}']][summary/code[.='{path}']]"
        ).get_attribute("id").removeprefix("op/")
        page.click("./summary", card(name))
        if body is not None:
            page.write(page.find(".//textarea[@aria-label='Body']", card(name)), body)
        page.click(".//button[.='Execute']", card(name))
        page.wait(lambda: page.find(".//p[@role='status']", card(name)).text.startswith("200"))
        return card(name)

    def log_in(secret):
        page.click("//button[@id='session']")
        for field, text in (("username", username), ("password", secret)):
            page.write(page.find(f"//dialog//input[@name='{field}']"), text)
        page.click("//dialog//button[.='Log in']")

    page.show(1280, 1000)
    with checks.step("the explorer shows every operation"):
        page.open("/docs")
        page.wait(lambda: len(page.driver.find_elements(By.CSS_SELECTOR, "details.operation")) == len(operations))
    page.picture("explorer")
    with checks.step("the explorer logs in"):
        log_in(password)
        page.find("//button[@id='session'][.='Log out']")
    with checks.step("the explorer reads GET /events with that token"):
        answer = execute("GET", "/events")
        page.wait(lambda: '"events"' in page.find(".//pre", answer).text)
    page.picture("explorer-events")
    with checks.step("the explorer's curl command names no token"):
        page.click(".//summary[.='As curl']", answer)
        page.wait(lambda: "Bearer $TOKEN" in page.find(".//pre[@class='curl']", answer).text)
    with checks.step("the explorer logs out"):
        page.click("//button[@id='session']")
        page.find("//button[@id='session'][.='Log in']")
    with checks.step("the explorer logs in with POST /auth/login"):
        execute("POST", "/auth/login", json.dumps({"username_or_email": username, "password": password}))
        page.find("//button[@id='session'][.='Log out']")
    page.picture("explorer-login")
    with checks.step("the explorer finds operations"):
        page.find("//input[@id='search']").send_keys("events search")
        page.wait(lambda: 0 < sum(e.is_displayed() for e in page.driver.find_elements(By.CLASS_NAME, "operation")) < len(operations))
    page.picture("explorer-search")
    page.check_quiet(checks, "the explorer")
    for theme in ("light", "dark"):
        page.show(360, 800, theme)
        page.open("/redoc")
        page.click(".//summary", page.find("//details[summary/b[.='POST']][summary/code[.='/events']]"))
        page.find("//textarea[@aria-label='Body']")
        page.picture(f"explorer-narrow-{theme}")
        checks.check(f"the explorer fits a narrow window, {theme}", not page.is_wider_than_window())
    with checks.step("the explorer says why a log-in failed"):
        log_in("Wrong" + password)
        page.wait(lambda: page.find("//p[@id='login-fault']").text)
    page.picture("explorer-refused")


def give_up(*_):
    raise TimeoutError(f"not done after {WHOLE_SECONDS} seconds")


def main():
    parser = argparse.ArgumentParser(description="checks the pages of the API documentation in a browser")
    parser.add_argument("base", metavar="BASE_URL", help="such as http://127.0.0.1:8000, or with /api")
    parser.add_argument("pictures", metavar="OUT_DIR", type=pathlib.Path, help="where the screenshots go")
    parser.add_argument("--explorer", action="store_true", help="expect the daemon's own page instead of Swagger UI and Redoc")
    options = parser.parse_args()
    try:
        username, password = os.environ["API_USERNAME"], os.environ["API_PASSWORD"]
    except KeyError as missing:
        sys.exit(f"browser.py: set {missing.args[0]}: the daemon at BASE_URL must know that user")
    if not shutil.which("chromium") or not shutil.which("chromedriver"):
        sys.exit("browser.py: there is no browser; run: apt-get install chromium chromium-driver")
    options.pictures.mkdir(parents=True, exist_ok=True)
    base = options.base.rstrip("/")

    checks = Checks()
    signal.signal(signal.SIGALRM, give_up)
    signal.alarm(WHOLE_SECONDS)
    with tempfile.TemporaryDirectory(prefix="ems-browser-", ignore_cleanup_errors=True) as profile:
        page = None
        try:
            operations = described(base)
            page = Page(base, options.pictures, profile)
            if options.explorer:
                check_explorer(page, checks, operations, username, password)
            else:
                check_swagger_ui(page, checks, operations, username, password)
                check_redoc(page, checks, operations)
        except (WebDriverException, OSError) as error:
            checks.check("the browser came through", False, f"{type(error).__name__}: {error}")
        finally:
            if page:
                page.driver.quit()
    print(f"1..{checks.count}")
    sys.exit(1 if checks.failures else 0)


if __name__ == "__main__":
    main()
