// Begins when everything is read: the engine, then the first picture.

async function start() {
  await tf.setBackend("cpu");
  startTrial();
  startDrawing();
  startWalk();
  startShell(() => {
    chooseSource(document.querySelector("[name=source]:checked").value);
    if (trial.about() === "") takeTestImage();
    else {
      showSteps();
      answer();
      showSpace();
    }
  });
  root.dataset.ready = Math.round(performance.now()); // milliseconds from the click to here
}

start();
