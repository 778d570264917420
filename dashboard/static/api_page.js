// Shows the API's document with Swagger UI, in the colours that the other pages have.

const light = matchMedia("(prefers-color-scheme: light)");
const colours = () => document.documentElement.classList.toggle("dark-mode", !light.matches);
light.addEventListener("change", colours);
colours();

// Swagger UI puts a link into the button that opens an operation; a button holds no link (WCAG 4.1.2).
const plainText = ({ React }) => ({
  components: { DeepLink: ({ text }) => React.createElement("span", null, text) },
});

const place = document.querySelector("#api");
window.SwaggerUIBundle({
  domNode: place,
  url: place.dataset.document,
  plugins: [plainText],
  deepLinking: true,
  displayRequestDuration: true,
  syntaxHighlight: { theme: "tomorrow-night" },
  // Or it would ask validator.swagger.io, which the content policy forbids.
  validatorUrl: null,
  // What changes something is described, and not tried by a button on this page.
  supportedSubmitMethods: ["get"],
  // Swagger UI gives this choice no name that a screen reader could say.
  onComplete: () => place.querySelector("#servers")?.setAttribute("aria-label", "Address of the API"),
});
