/** What one tab remembers while the citizen is away on the gateway's page: who, which plates, which payment. */

export const recall = (name) => JSON.parse(sessionStorage.getItem(name));

export const remember = (name, value) => sessionStorage.setItem(name, JSON.stringify(value));

export const forget = () => sessionStorage.clear();

/** An E.164 number of what was typed (Iraqi numbers also as 07… or 00964…), or null. */
export function e164(typed) {
  const digits = typed
    .replace(/[٠-٩]/g, (digit) => digit.charCodeAt(0) - 0x660)
    .replace(/[۰-۹]/g, (digit) => digit.charCodeAt(0) - 0x6f0)
    .replace(/[\s().-]/g, "");
  const number = digits.replace(/^00/, "+").replace(/^0?(?=7\d{9}$)/, "+964");
  return /^\+[1-9]\d{6,14}$/.test(number) ? number : null;
}
