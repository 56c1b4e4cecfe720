"""Why somebody does not get in, or cannot be let in."""

from __future__ import annotations

from doorstep.core.errors import Invalid, NotAllowed, NotFound, Refusal
from doorstep.core.http.problems import NotSignedIn

__all__ = [
    "DeviceEnrolledByAnother",
    "DeviceHandsInOnly",
    "DeviceIsLocked",
    "DeviceIsRevoked",
    "DeviceStateForbids",
    "EnrolmentCodeNotValid",
    "KeyNotOnCurve",
    "LoginAlreadyTaken",
    "NoSuchDevice",
    "NoSuchPerson",
    "NotSignedIn",
    "PasswordTooWeak",
    "PersonHasLeft",
    "PersonNotComplete",
    "PersonSignsInOtherwise",
    "PinNotSixDigits",
    "PinTooEasy",
    "RefreshTokenReused",
    "SignInFailed",
]


class SignInFailed(NotSignedIn):
    """Login or password, device or PIN are wrong; which of them stays untold."""

    title = "That is not right. Please check and try again."


class DeviceIsLocked(NotSignedIn):
    """After ten wrong PINs or by the office; a new enrolment code or the office unlocks it."""

    title = "This device is locked. Ask the office to unlock it, or for a new enrolment code."


class DeviceIsRevoked(NotSignedIn):
    """It is shut out for good; what is still on it comes in by surrender, for a person to look at."""

    title = "This device was shut out by the office. What it has captured is kept and looked at."


class DeviceHandsInOnly(NotAllowed):
    """A locked device, or one that is to sign out, brings what it has and gets nothing new."""

    title = "This device may only hand in what it has captured."


class DeviceEnrolledByAnother(Refusal):
    """A phone makes a key for each person: this one is another's. The code stays good."""

    title = "This key belongs to somebody else who works with this phone."


class DeviceStateForbids(Refusal):
    """A device that is locked cannot be told to sign out, a revoked one cannot be told anything."""

    title = "A device in this state cannot be told that."


class KeyNotOnCurve(Invalid):
    """Its two numbers are no point of the curve P-256."""

    title = "This is no public key of P-256."


class RefreshTokenReused(NotSignedIn):
    """A refresh token came back after its successor was used: the session is over for everybody."""

    title = "This session was ended because its token was used twice. Please sign in again."


class EnrolmentCodeNotValid(NotSignedIn):
    """The code is unknown, used or expired: all look the same."""

    title = "This code is not valid, or no longer. Ask for a new one."


class NoSuchPerson(NotFound):
    """Nobody has this id."""

    title = "There is no such person."


class PersonHasLeft(Refusal):
    """Whoever is shut out gets nothing new."""

    title = "This person does not work here any more."


class NoSuchDevice(NotFound):
    """No device has this id."""

    title = "There is no such device."


class LoginAlreadyTaken(Refusal):
    """Logins are unique without regard to case."""

    title = "Somebody else has this login."


class PasswordTooWeak(Invalid):
    """Shorter than 15 characters, or nothing but the login or one character."""

    title = "The password is too weak: at least 15 characters, not the login."


class PinNotSixDigits(Invalid):
    """A PIN is six digits."""

    title = "A PIN has six digits."


class PinTooEasy(Invalid):
    """One digit six times, or six in a row: what is tried first on a phone that was found."""

    title = "The PIN is too easy to guess: not one digit only, not six in a row."


class PersonNotComplete(Invalid):
    """The role needs a location or a vendor, or the role is none of a person."""

    title = "The person lacks what the role needs."


class PersonSignsInOtherwise(Refusal):
    """Field workers enrol a device, staff have a password, inactive people have neither."""

    title = "This person does not sign in this way."
