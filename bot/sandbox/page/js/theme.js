// Dark or light: as the system says, until somebody chooses.

import { byId, remember, remembered } from "./dom.js";
import { icon } from "./icons.js";

const dark = matchMedia("(prefers-color-scheme: dark)");

/** Make the button that changes between dark and light. */
export function setUpTheme() {
  const button = byId("theme");
  const show = () => {
    const theme = remembered("theme") ?? (dark.matches ? "dark" : "light");
    document.documentElement.dataset.theme = theme;
    const other = theme === "dark" ? "light" : "dark";
    button.replaceChildren(icon(theme === "dark" ? "sun" : "moon"));
    button.setAttribute("aria-label", `Use ${other} colours`);
    button.title = `Use ${other} colours`;
    button.onclick = () => {
      remember("theme", other);
      document.documentElement.dataset.theme = other;
      show();
    };
  };
  dark.addEventListener("change", show);
  show();
}
