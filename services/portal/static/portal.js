// What is nicer with a script: printing, and the link of a mail whose token stands behind the #. Everything works without.
for (const link of document.querySelectorAll("[data-print]")) {
  link.addEventListener("click", (event) => { event.preventDefault(); window.print(); });
}
const token = document.querySelector("[data-token]");
if (token && location.hash.startsWith("#token=")) {
  token.value = location.hash.slice("#token=".length);
  token.closest("[data-by-hand]").hidden = true;
  history.replaceState(null, "", location.pathname);
}
// The page for a gateway that is away: it looks now and then, and shows what was asked for as soon as that works.
const again = document.querySelector("[data-again]");
if (again) {
  document.querySelector("[data-recovers]").hidden = false;
  setInterval(async () => {
    const answer = await fetch(again.href).catch(() => null);
    if (answer && answer.status !== 503) location.assign(again.href);
  }, Number(again.dataset.again) * 1000);
}
document.querySelector(".summary[role=alert]")?.focus();
for (const dialog of document.querySelectorAll("[data-resets]")) {
  dialog.addEventListener("toggle", (event) => {
    if (event.newState === "closed") for (const box of dialog.querySelectorAll("input")) box.checked = box.defaultChecked;
  });
}
