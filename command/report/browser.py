# SPDX-License-Identifier: MIT OR Apache-2.0
"""A page in headless Chromium, and what it shows."""

import json
import shutil
import tempfile

from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By

# of every canvas: how many of its pixels have each curve's colour, or nearly
PIXELS = """
const near = (data, colour) => {
  const [r, g, b] = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
  let n = 0;
  for (let i = 0; i < data.length; i += 4) {
    if (Math.abs(data[i] - r) + Math.abs(data[i + 1] - g) + Math.abs(data[i + 2] - b) < 24 &&
        data[i + 3] > 200) n++;
  }
  return n;
};
const style = getComputedStyle(document.documentElement);
return fripp.charts.map((plot, at) => {
  const canvas = plot.ctx.canvas;
  const { data } = plot.ctx.getImageData(0, 0, canvas.width, canvas.height);
  return fripp.data.charts[at].curves.map(
    (curve) => near(data, style.getPropertyValue(`--${curve.colour}`).trim()));
});
"""


class Browser:
    def __init__(self, width, height=900, dark=False):
        self.profile = tempfile.mkdtemp(prefix="fripp-browser-")
        options = webdriver.ChromeOptions()
        options.binary_location = shutil.which("chromium")
        for flag in ("headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run",
                     "disable-background-networking", "disable-component-update", "disable-sync",
                     "disable-dev-shm-usage", "hide-scrollbars", f"user-data-dir={self.profile}"):
            options.add_argument(f"--{flag}")
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        service = webdriver.ChromeService(executable_path=shutil.which("chromedriver"))
        self.driver = webdriver.Chrome(options=options, service=service)
        self.driver.set_script_timeout(60)
        self.command("Emulation.setDeviceMetricsOverride", width=width, height=height,
                     deviceScaleFactor=1, mobile=False)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.command("Emulation.setEmulatedMedia", features=[scheme])

        # what the browser's own first page asks for is not ours
        self.driver.get("about:blank")
        self.complaints()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.driver.quit()
        shutil.rmtree(self.profile, ignore_errors=True)

    def command(self, name, **arguments):
        return self.driver.execute_cdp_cmd(name, arguments)

    def open(self, path):
        self.driver.get(f"file://{path}")

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def after_frames(self, n=3):
        """Waits until the page has drawn what it was told."""
        self.driver.execute_async_script(
            "let n = arguments[0]; const done = arguments[1];"
            "const next = () => (n-- > 0 ? requestAnimationFrame(next) : done()); next();", n)

    def data(self):
        """Of each chart its columns, and what the page says of its curves."""
        return self.run("return {charts: fripp.data.charts, start: fripp.data.start,"
                        " step: fripp.data.step, interval: fripp.data.interval,"
                        " drawn: fripp.charts.map((plot) => plot.data)}")

    def pixels(self):
        return self.run(PIXELS)

    def plot(self, at):
        return self.driver.find_elements(By.CSS_SELECTOR, ".plot .u-over")[at]

    def legend(self, at):
        """Of chart `at`, the value after each name."""
        plot = self.driver.find_elements(By.CSS_SELECTOR, ".plot")[at]
        return [value.text for value in plot.find_elements(By.CSS_SELECTOR, ".u-legend .u-value")]

    def point(self, at, x):
        """Puts the pointer on chart `at` over the value number `x`."""
        over = self.plot(at)
        self.run("arguments[0].scrollIntoView({block: 'center'})", over)
        left = self.run("const p = fripp.charts[arguments[0]];"
                        "return p.valToPos(p.data[0][arguments[1]], 'x')", at, x)
        width, height = over.size["width"], over.size["height"]
        # the outermost pixels may be the neighbour's
        left = min(max(left, 1), width - 2)
        for _ in range(50):
            ActionChains(self.driver, duration=0).move_to_element_with_offset(
                over, 5 - width // 2, height // 4).move_to_element_with_offset(
                over, round(left) - width // 2, 0).perform()
            self.after_frames()
            # a browser that is busy may not have seen it yet
            if self.legend(at)[0] != "–":
                break

    def drag(self, at, left, right):
        """Drags across chart `at` between two parts of its width."""
        over = self.plot(at)
        self.run("arguments[0].scrollIntoView({block: 'center'})", over)
        width = over.size["width"]
        offsets = [round(width * (part - 0.5)) for part in (left, right)]
        chain = ActionChains(self.driver, duration=20)
        chain.move_to_element_with_offset(over, offsets[0], 0).click_and_hold()
        chain.move_to_element_with_offset(over, offsets[1], 0).release().perform()
        self.after_frames()

    def double_click(self, at):
        ActionChains(self.driver).move_to_element(self.plot(at)).double_click().perform()
        self.after_frames()

    def scales(self):
        return self.run("return fripp.charts.map((p) => [p.scales.x.min, p.scales.x.max])")

    def violations(self, axe):
        """What axe-core, whose script is in the file `axe`, finds."""
        with open(axe, encoding="utf-8") as file:
            self.run(file.read())
        return self.driver.execute_async_script(
            "const done = arguments[0]; axe.run({resultTypes: ['violations']}).then((all) =>"
            " done(all.violations.map((v) => [v.id, v.impact, v.nodes.length, v.nodes[0].html.slice(0, 200),"
            " v.nodes[0].failureSummary])), (wrong) => done([String(wrong)]));")

    def complaints(self):
        """What the console says, and what was asked of any network."""
        said = [f"{entry['level']}: {entry['message']}" for entry in self.driver.get_log("browser")]
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                url = message["params"]["request"]["url"]
                if not url.startswith(("file://", "data:")):
                    said.append(f"request: {url}")
        return said
