// The chooser of pictures, the confusion matrices' rows; Bokeh draws the plots.

const words = JSON.parse(document.getElementById("words").textContent);
const narrow = matchMedia("screen and (max-width: 40rem)");

// --- plots: a JSON text of Bokeh's in which ${…} stands for a colour or a word

const views = new Map();
let queue = Promise.resolve();
let round = 0;

async function draw(holder) {
  const scale = holder.closest("figure").querySelector("input[name$=-scale]:checked")?.value;
  const source = holder.parentElement.querySelector(`script[data-scale="${scale ?? "linear"}"]`);
  const look = getComputedStyle(holder);
  const own = {
    ink: look.color,
    paper: look.backgroundColor,
    rule: look.borderTopColor,
    height: parseInt(look.minHeight),
    few: narrow.matches ? 1 : 3,
    many: narrow.matches ? 2 : 5,
  };
  const filled = source.textContent.replace(
    /\$\{([^}]+)\}/g, (_, name) => own[name] ?? words[root.lang][name]);
  const [old, fresh] = [holder.firstElementChild, document.createElement("div")];
  holder.append(fresh); // over the old one, which stays until this is there, also for a printer
  const view = await Bokeh.embed.embed_item(JSON.parse(filled), fresh);
  views.get(holder)?.clear();
  old?.remove();
  views.set(holder, view);
}

function drawAll() {
  const mine = ++round; // a later round makes this one needless
  queue = queue.then(async () => {
    for (const holder of all(".chart")) {
      if (mine !== round) return;
      if (holder.closest("[hidden]")) continue; // drawn when it is shown
      await draw(holder);
    }
  });
}

for (const choice of all("input[name$=-scale]")) {
  const holder = choice.closest("figure").querySelector(".chart");
  choice.addEventListener("change", () => { queue = queue.then(() => draw(holder)); });
}

// --- pictures

const experiment = document.querySelector("select[name=experiment]");
const image = document.querySelector("select[name=image]");

function choose() {
  for (const rows of all(".experiment")) {
    rows.hidden = experiment.value !== "" && rows.dataset.experiment !== experiment.value;
  }
  for (const one of all("[data-image]")) {
    one.hidden = image.value !== "" && one.dataset.image !== image.value;
  }
  document.querySelector("#pictures .chooser").classList.toggle("single", image.value !== "");
}

experiment?.addEventListener("change", choose);
image?.addEventListener("change", choose);

// --- latent spaces

const space = document.querySelector("select[name=space]");

space?.addEventListener("change", () => {
  for (const one of all(".space")) {
    one.hidden = one.dataset.space !== space.value;
    if (!one.hidden) queue = queue.then(() => draw(one.querySelector(".chart")));
  }
});

// --- a confusion matrix's rows

const matrices = all(".matrix").map((matrix) => {
  const output = matrix.querySelector("output");
  let row = null;
  const say = () => { if (row) output.textContent = row.dataset[root.lang === "es" ? "wordsEs" : "wordsEn"]; };
  for (const one of all("tbody tr", matrix)) {
    for (const event of ["pointerenter", "focusin", "click"]) {
      one.addEventListener(event, () => { row = one; say(); });
    }
  }
  return say;
});

narrow.addEventListener("change", drawAll);

// --- on paper everything is open

let shut = [];
addEventListener("beforeprint", () => {
  shut = all("details:not([open])");
  for (const one of shut) one.open = true;
});
addEventListener("afterprint", () => {
  for (const one of shut) one.open = false;
});

startShell(() => {
  for (const say of matrices) say();
  drawAll();
});
