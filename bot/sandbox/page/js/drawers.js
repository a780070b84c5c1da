// The two sides of the page: columns where there is room, drawers over the chat where there is not.

import { byId, remember, remembered } from "./dom.js";
import { icon } from "./icons.js";

/** Wire up the drawers; returns `{closePlaces, openWorld, closeWorld}`. */
export function setUpDrawers() {
  const veil = byId("veil");
  const places = drawer(byId("places"), byId("open-places"), matchMedia("(max-width: 760px)"), { folds: false });
  const world = drawer(byId("world"), byId("toggle-world"), matchMedia("(max-width: 1120px)"), { folds: true });
  const both = [places, world];

  function drawer(node, opener, narrow, { folds }) {
    let shown = folds ? remembered("world") !== "folded" && !narrow.matches : false;
    const show = (open) => {
      shown = open;
      if (folds && !narrow.matches) remember("world", open ? "open" : "folded");
      update();
      if (open && narrow.matches) node.querySelector("button, input")?.focus();
      else if (!open && (node.contains(document.activeElement) || document.activeElement === document.body)) opener.focus();
    };
    const visible = () => shown || (!folds && !narrow.matches);
    narrow.addEventListener("change", () => {
      shown = folds ? !narrow.matches && remembered("world") !== "folded" : false;
      update();
    });
    opener.addEventListener("click", () => show(!shown));
    return { node, opener, narrow, visible, show, covers: () => narrow.matches && shown };
  }

  function update() {
    const covering = both.find((one) => one.covers());
    for (const one of both) {
      one.node.classList.toggle("open", one.visible());
      one.node.inert = !one.visible() || Boolean(covering && covering !== one);
      one.opener.setAttribute("aria-expanded", String(one.visible()));
    }
    veil.hidden = !covering;
    byId("chat").inert = Boolean(covering);
    document.documentElement.classList.toggle("world-open", world.visible());
    byId("toggle-world").setAttribute("aria-label", world.visible() ? "Fold the world away" : "Open the world");
    byId("toggle-world").title = byId("toggle-world").getAttribute("aria-label");
  }

  const closeCovering = () => both.find((one) => one.covers())?.show(false);
  veil.addEventListener("click", closeCovering);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !event.defaultPrevented && !document.querySelector("dialog[open]")) closeCovering();
  });
  byId("open-places").append(icon("menu"));
  byId("close-places").append(icon("close"));
  byId("close-places").addEventListener("click", () => places.show(false));
  byId("toggle-world").append(icon("globe"), "World");
  update();
  return {
    closePlaces: () => places.covers() && places.show(false),
    openPlaces: () => places.narrow.matches && places.show(true),
    openWorld: () => world.show(true),
    closeWorld: () => world.show(false),
  };
}
