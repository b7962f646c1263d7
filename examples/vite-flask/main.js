const list = document.querySelector('ul');
const form = document.querySelector('form');

async function show(response) {
  const { notes } = await (await response).json();
  list.replaceChildren(...notes.map((text) => Object.assign(document.createElement('li'), { textContent: text })));
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  const body = JSON.stringify({ text: new FormData(form).get('text') });
  show(fetch('/api/notes', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body }));
});

show(fetch('/api/notes'));
