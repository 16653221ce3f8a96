// A sheet to draw on, with a pointer or with the keyboard. What is drawn goes the way of a photo.

const STEP = 10; // of 280: what an arrow key moves
const pen = { x: 140, y: 140, down: false };

function drawTo(x, y) {
  const context = byId("sheet").getContext("2d");
  Object.assign(context, { strokeStyle: "#fff", lineCap: "round", lineJoin: "round" });
  context.lineWidth = Number(named("pen").value);
  context.beginPath();
  context.moveTo(pen.x, pen.y);
  context.lineTo(x, y);
  context.stroke();
}

function movePen(x, y, draws) {
  if (draws) drawTo(x, y);
  Object.assign(pen, { x, y });
}

function wipe() {
  const sheet = byId("sheet");
  const context = sheet.getContext("2d", { willReadFrequently: true });
  context.fillStyle = "#000";
  context.fillRect(0, 0, sheet.width, sheet.height);
  byId("complaint").hidden = true;
}

function takeDrawing() {
  const sheet = byId("sheet");
  const rgba = sheet.getContext("2d").getImageData(0, 0, sheet.width, sheet.height);
  if (rgba.data.every((value, k) => k % 4 === 3 || value === 0)) return; // nothing drawn yet
  try {
    // A drawn box is a bag, and no frame.
    take({ ...toDataSet(rgba, { mayHaveFrame: false }), about: () => say("about_drawing") });
  } catch (error) {
    complain(error);
  }
}

function startDrawing() {
  const sheet = byId("sheet");
  wipe();
  const place = (event) => {
    const box = sheet.getBoundingClientRect();
    const scale = sheet.width / box.width;
    return [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
  };
  sheet.addEventListener("pointerdown", (event) => {
    sheet.setPointerCapture(event.pointerId);
    movePen(...place(event), false);
    movePen(...place(event), true); // a dot
  });
  const soon = oncePerFrame(takeDrawing);
  sheet.addEventListener("pointermove", (event) => {
    if (!sheet.hasPointerCapture(event.pointerId)) return;
    movePen(...place(event), true);
    soon();
  });
  sheet.addEventListener("pointerup", takeDrawing);
  sheet.addEventListener("keydown", (event) => {
    const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!move && event.key !== " ") return;
    event.preventDefault();
    if (move) movePen(pen.x + STEP * move[0], pen.y + STEP * move[1], pen.down);
    else pen.down = !pen.down;
    if (pen.down) movePen(pen.x, pen.y, true);
    takeDrawing();
  });
  byId("wipe").addEventListener("click", wipe);
}
