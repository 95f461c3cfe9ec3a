// One line in words about an event.

import { words, fill, named } from "./words.js";

const MOST = 300;

const text = (value) => (typeof value === "string" && value.trim() !== "" ? value.trim() : null);
const object = (value) => (value !== null && typeof value === "object" ? value : {});
const list = (value) => (Array.isArray(value) ? value : value === undefined || value === null ? [] : [value]);

/** The part of a message body that has its content. */
export const messageData = (body) => object(object(body).messageData);

function content(kind, data) {
  const extended = object(data.extendedTextMessageData);
  const file = object(data.fileMessageData);
  const poll = object(data.pollMessageData);
  const own = object(data[kind]);
  switch (kind) {
    case "textMessage":
      return text(object(data.textMessageData).textMessage) ?? text(object(data.statusTextMessageData).text);
    case "extendedTextMessage":
    case "quotedMessage":
      return text(extended.text) ?? text(object(data.statusExtendedTextMessageData).text);
    case "imageMessage": case "videoMessage": case "documentMessage": case "audioMessage": case "stickerMessage":
      return [words.kinds[kind], text(file.fileName), text(file.caption)].filter(Boolean).join(", ");
    case "locationMessage": case "LocationMessage": {
      const place = object(data.locationMessageData);
      const named = text(place.nameLocation) ?? text(place.address) ?? `${place.latitude}, ${place.longitude}`;
      return fill(words.sharedLocation, { text: named });
    }
    case "contactMessage":
      return fill(words.sharedContact, { text: text(object(data.contactMessageData).displayName) ?? "" });
    case "contactsArrayMessage": {
      const contacts = list(object(data.messageData).contacts ?? data.contacts);
      return fill(words.sharedContact, { text: contacts.map((one) => text(object(one).displayName)).filter(Boolean).join(", ") });
    }
    case "reactionMessage":
      return text(extended.text) ? fill(words.reacted, { text: extended.text }) : words.withdrewReaction;
    case "groupInviteMessage":
      return fill(words.invites, { text: text(object(data.groupInviteMessageData).groupName) ?? "" });
    case "pollMessage":
      return fill(words.pollAsks, { text: text(poll.name) ?? "" });
    case "pollUpdateMessage": {
      const chosen = list(poll.votes).filter((vote) => list(object(vote).optionVoters).length > 0);
      return fill(words.voted, { text: chosen.map((vote) => text(vote.optionName)).filter(Boolean).join(", ") || "—" });
    }
    case "editedMessage": {
      const edit = object(data.editedMessageData);
      return fill(words.editedMessage, { text: text(edit.textMessage) ?? text(edit.caption) ?? "" });
    }
    case "deletedMessage":
      return words.deletedMessage;
    default: {
      const answer = object(data.templateButtonReplyMessage ?? own);
      const chosen = text(answer.selectedDisplayText) ?? text(answer.selectedButtonText) ?? text(own.title);
      if (chosen && !/^(template|interactiveButtons|product|order)/.test(kind ?? "")) return fill(words.chose, { text: chosen });
      const shown = chosen ?? text(own.contentText) ?? text(own.titleText);
      const name = Object.hasOwn(words.kinds, kind) ? words.kinds[kind] : fill(words.unknownType, { text: kind ?? "—" });
      return shown ? `${name}: ${shown}` : name;
    }
  }
}

function message(event, body) {
  const sender = object(body.senderData);
  const isIncoming = event.typeWebhook === "incomingMessageReceived";
  const name = isIncoming
    ? text(sender.senderContactName) ?? text(sender.senderName) ?? text(sender.sender)
    : words.you;
  const said = content(event.typeMessage, messageData(body)) ?? words.emptyMessage;
  return name ? `${name}: ${said}` : said;
}

function describe(event) {
  const body = object(event.body);
  if (event.outcome === "malformed") return event.reason ?? words.outcomeMalformed;
  switch (event.typeWebhook) {
    case "incomingMessageReceived": case "outgoingMessageReceived": case "outgoingAPIMessageReceived":
      return message(event, body);
    case "outgoingMessageStatus":
      return [named(words.statuses, text(body.status) ?? "—"), text(body.description)].filter(Boolean).join(": ");
    case "stateInstanceChanged":
      return fill(words.accountState, { text: named(words.states, text(body.stateInstance) ?? "—") });
    case "statusInstanceChanged":
      return fill(words.socketState, { text: named(words.states, (text(body.statusInstance) ?? "—").toLowerCase()) });
    case "incomingCall": case "outgoingCall":
      return named(words.calls, text(body.status) ?? words.call);
    case "incomingBlock":
      return words.blockedChat;
    case "deviceInfo": {
      const device = object(body.deviceData);
      if (!body.deviceData) return words.avatar;
      return fill(words.device, { text: [text(device.deviceManufacturer), text(device.deviceModel)].filter(Boolean).join(" ") || "—" });
    }
    case "quotaExceeded": {
      const quota = object(body.quotaData);
      return fill(words.quota, { text: text(quota.description) ?? text(quota.method) ?? "—" });
    }
    default:
      return fill(words.unknownType, { text: event.typeWebhook ?? "—" });
  }
}

/** The line, cut at a length that fits a row. */
export function summary(event) {
  const line = String(describe(event)).replace(/\s+/g, " ");
  return line.length > MOST ? `${line.slice(0, MOST)}…` : line;
}
