// What is nicer with a script: printing, how far a download is, and the link of a mail whose token stands behind the #.
// Everything works without.
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
// A download shows how far it is. One that breaks off is said to be broken, and nothing of it is kept.
const size = (bytes) => `${(bytes / 1024).toLocaleString("ja-JP", { maximumFractionDigits: 1 })} KB`;
for (const link of document.querySelectorAll("[data-progress]")) {
  const shown = document.getElementById(link.dataset.progress);
  const [bar, numbers, outcome] = shown.children;
  link.addEventListener("click", async (event) => {
    event.preventDefault();
    shown.hidden = false;
    outcome.textContent = "";
    try {
      const answer = await fetch(link.href);
      const expected = Number(answer.headers.get("Expected-Bytes"));
      if (!answer.ok || !expected) return location.assign(link.href);
      bar.max = expected;
      const pieces = [], reader = answer.body.getReader();
      let received = 0;
      for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
        pieces.push(piece.value);
        bar.value = received += piece.value.length;
        numbers.textContent = `${size(received)} ／ およそ ${size(expected)}`;
      }
      const file = document.createElement("a");
      file.href = URL.createObjectURL(new Blob(pieces));
      file.download = link.download;
      file.click();
      outcome.textContent = `${Number(answer.headers.get("Record-Count")).toLocaleString("ja-JP")}件を受信しました。`;
    } catch {
      outcome.textContent = "途中で切れました。もう一度ダウンロードしてください。";
    }
  });
}
document.querySelector(".summary[role=alert]")?.focus();
for (const dialog of document.querySelectorAll("[data-resets]")) {
  dialog.addEventListener("toggle", (event) => {
    if (event.newState === "closed") for (const box of dialog.querySelectorAll("input")) box.checked = box.defaultChecked;
  });
}
