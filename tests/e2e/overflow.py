"""What of a page is cut off, or makes it scroll sideways."""

from __future__ import annotations

from tests.e2e.browser import Browser

_CUT_OFF = """(() => {
  const said = (one) => `${one.tagName.toLowerCase()}.${one.className?.baseVal ?? one.className}: `
    + `${one.scrollWidth} px in ${one.clientWidth}: ${one.textContent.trim().slice(0, 60)}`;
  const isCut = (one) => {
    const style = getComputedStyle(one);
    if (style.display.startsWith('inline') && one.clientWidth === 0) return false;
    if (['auto', 'scroll'].includes(style.overflowX)) return false;
    if (style.clipPath === 'inset(50%)') return false;
    if (one.closest('.quiet, .skip, svg, input, select')) return false;
    return one.clientWidth > 0 && one.scrollWidth > one.clientWidth + 1;
  };
  const cut = [...document.body.querySelectorAll('*')].filter(isCut).map(said);
  const page = document.documentElement;
  if (page.scrollWidth > innerWidth) cut.push(`the page: ${page.scrollWidth} px in ${innerWidth}`);
  return cut;
})()"""


def set_width(browser: Browser, width: int, height: int = 900) -> None:
    """Show pages as on a screen of that many pixels; 0 for the browser's own size."""
    if width:
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        browser.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    else:
        browser.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def cut_off(browser: Browser) -> list[str]:
    """Elements whose content is wider than they are, in words; the page itself among them.

    What may be scrolled on purpose (`overflow: auto`) and what only screen readers read is not.
    """
    return list(browser.read(_CUT_OFF))
