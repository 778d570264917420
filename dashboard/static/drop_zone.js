// Files that are chosen, or dropped on a place of the page.

// take: called with the files, a FileList.
export function takeFiles(chooser, place, take) {
  chooser.onchange = () => {
    take(chooser.files);
    chooser.value = "";
  };
  place.ondragover = (event) => {
    event.preventDefault();
    place.classList.add("over");
  };
  place.ondragleave = () => place.classList.remove("over");
  place.ondrop = (event) => {
    event.preventDefault();
    place.classList.remove("over");
    take(event.dataTransfer.files);
  };
}
