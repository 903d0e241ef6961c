// A screen: pages that stand in the window together.

// Takes from `queue` the pages of one screen: those about the class of the first, as many as `size` images allow.
export function take(queue, size) {
  const first = queue[0], taken = [];
  let images = 0;
  for (const page of queue) {
    if (page.ticked !== first.ticked || (taken.length && images + page.images.length > size)) continue;
    taken.push(page);
    images += page.images.length;
  }
  return taken;
}

// Whether an image has an answer of before, which stays where the image does not load now.
export const answered = (screen, page, image) => Boolean(screen.marks) && !screen.skipped && !(screen.left?.[page.key] || []).includes(image.place);
