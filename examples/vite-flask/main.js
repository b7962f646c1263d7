const book = await fetch('/book/book.txt');
const lines = (await book.text()).split('\n').length;
document.querySelector('#count').textContent = String(Math.ceil(lines / 40));
