// What a hand does on the page of a study, and what is seen then.

addEventListener("load", () => setTimeout(() => {
  const seen = {};
  const all = (selector) => [...document.querySelectorAll(selector)];
  const choose = (place, value) => {
    const select = all("select")[place];
    select.value = value;
    select.dispatchEvent(new Event("change"));
  };
  seen.choices = all("select").map((each) => [...each.options].map((option) => option.textContent));
  seen.lines = all(".canvas .line").length;
  seen.dots = all(".canvas circle").length;
  choose(3, "map");
  seen.cells = all(".heat").map((each) => each.dataset.value ?? "");
  choose(1, all("select")[1].options[1].value);
  choose(2, "");
  seen.alone = [all(".canvas .line").length, all("select").length];
  seen.rows = all("#points tbody tr").length;
  seen.broken = all("svg *").filter((each) => [...each.attributes].some((one) => /NaN|undefined|Infinity/.test(one.value))).length;
  seen.width = document.documentElement.scrollWidth - innerWidth;
  seen.problems = window.problems;
  const outcome = document.createElement("pre");
  outcome.id = "outcome";
  outcome.textContent = JSON.stringify(seen);
  document.body.append(outcome);
}, 300));
