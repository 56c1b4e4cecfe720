"""Getting in, staying in, being thrown out: on real rows."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from doorstep.core import db as core_db
from doorstep.core.actor import Actor
from doorstep.core.auth import service, sessions
from doorstep.core.auth.errors import (
    DeviceIsLocked,
    EnrolmentCodeNotValid,
    LoginAlreadyTaken,
    NotSignedIn,
    PasswordTooWeak,
    PersonNotComplete,
    PersonSignsInOtherwise,
    PinTooEasy,
    RefreshTokenReused,
    SignInFailed,
)
from doorstep.core.auth.passwords import check_password
from doorstep.play.phone_key import PhoneKey
from tests.conftest import Clock
from tests.support.access import PASSWORD, PIN, enter

pytestmark = pytest.mark.usefixtures("db")

WRONG_PIN = "000000"
KEY = PhoneKey().public


async def locked_state(device_id: UUID | None) -> str:
    return str(await core_db.value("SELECT state FROM device WHERE id = $1", device_id))


class TestPeople:
    async def test_a_login_is_taken_whatever_its_case(self) -> None:
        await service.create_person(role="admin", name="A", login="Sara", password=PASSWORD)
        with pytest.raises(LoginAlreadyTaken):
            await service.create_person(role="sales", name="B", login="sARA", password=PASSWORD)

    @pytest.mark.parametrize("weak", ["short", "a" * 20, "my login is manager"])
    def test_weak_passwords_are_refused(self, weak: str) -> None:
        with pytest.raises(PasswordTooWeak):
            check_password(weak, login="manager")

    @pytest.mark.parametrize("role", ["warehouse", "vendor", "customer", "king"])
    async def test_a_role_without_what_it_needs_is_refused(self, role: str) -> None:
        with pytest.raises(PersonNotComplete):
            await service.create_person(role=role, name="X")

    async def test_field_workers_get_no_password_and_staff_no_code(self) -> None:
        with pytest.raises(PersonSignsInOtherwise):
            await service.create_person(role="courier", name="X", login="xyz", password=PASSWORD)
        admin = await enter("admin")
        with pytest.raises(PersonSignsInOtherwise):
            await service.make_enrolment_code(admin.id)

    async def test_nothing_secret_is_stored_in_plain(self) -> None:
        courier = await enter("courier")
        admin = await enter("admin")
        rows = [
            str(row)
            for table in ("person", "device", "session", "session_token", "enrolment_code")
            for row in await core_db.rows(f"SELECT * FROM {table}")
        ]
        secrets = [PASSWORD, PIN]
        for given in (courier.tokens, admin.tokens):
            secrets += [given.access_token, given.refresh_token]
        assert not [secret for secret in secrets for row in rows if secret in row]


class TestSignIn:
    async def test_staff_sign_in_and_act_as_persons(self) -> None:
        channel = uuid4()
        finance = await enter("finance", channel_ids=[channel])
        actor = await service.authenticate(finance.tokens.access_token, request_id="r-1")
        assert (actor.role, actor.source, actor.person_id) == ("finance", "person", finance.id)
        assert (actor.channel_ids, actor.request_id) == ((channel,), "r-1")

    async def test_wrong_password_unknown_login_and_inactive_person_look_the_same(self) -> None:
        sales = await enter("sales")
        for login, password in ((sales.login, "not the password"), ("nobody", PASSWORD)):
            with pytest.raises(SignInFailed):
                await service.sign_in(login, password)
        await service.deactivate_person(sales.id)
        with pytest.raises(SignInFailed):
            await service.sign_in(sales.login, PASSWORD)

    async def test_an_access_token_ends_after_ten_minutes(self, clock: Clock) -> None:
        admin = await enter("admin")
        clock.advance(sessions.ACCESS_LIFE)
        with pytest.raises(NotSignedIn):
            await service.authenticate(admin.tokens.access_token)

    @pytest.mark.parametrize("token", ["", "dst_", "x" * 47, "dst_" + "A" * 43, "dst_" + "é" * 43])
    async def test_what_is_no_token_of_ours_is_nobody(self, token: str) -> None:
        with pytest.raises(NotSignedIn):
            await service.authenticate(token)

    async def test_a_refresh_token_opens_nothing_by_itself(self) -> None:
        admin = await enter("admin")
        with pytest.raises(NotSignedIn):
            await service.authenticate(admin.tokens.refresh_token)
        with pytest.raises(NotSignedIn):
            await service.refresh(admin.tokens.access_token)

    async def test_seen_is_written_once_a_minute_at_most(self, clock: Clock) -> None:
        courier = await enter("courier")
        moments = set()
        for _ in range(3):
            clock.advance(timedelta(seconds=25))
            await service.authenticate(courier.tokens.access_token)
            moments.add(await core_db.value("SELECT last_seen_at FROM session"))
        assert len(moments) == 2
        assert await core_db.value("SELECT last_seen_at FROM device") == max(moments)


class TestEnrolment:
    async def make_code(self) -> str:
        person_id = await service.create_person(role="technician", name="T")
        return (await service.make_enrolment_code(person_id)).code

    async def test_a_code_makes_a_phone_as_typed_by_a_person(self) -> None:
        code = await self.make_code()
        typed = "-".join(code[i : i + 5] for i in range(0, 26, 5)).lower().replace("0", "o")
        enrolled = await service.enrol(typed, label="Pixel", pin=PIN, key=KEY)
        actor = await service.authenticate(enrolled.access_token)
        assert (actor.source, actor.device_id) == ("phone", enrolled.device_id)

    async def test_a_code_is_used_once_even_by_two_at_once(self) -> None:
        code = await self.make_code()
        results = await asyncio.gather(
            *(service.enrol(code, label="p", pin=PIN, key=KEY) for _ in range(4)),
            return_exceptions=True,
        )
        assert sum(isinstance(one, service.Tokens) for one in results) == 1
        assert sum(isinstance(one, EnrolmentCodeNotValid) for one in results) == 3
        assert await core_db.value("SELECT count(*) FROM device") == 1

    async def test_a_code_ends_after_a_day(self, clock: Clock) -> None:
        code = await self.make_code()
        clock.advance(timedelta(hours=24, seconds=1))
        with pytest.raises(EnrolmentCodeNotValid):
            await service.enrol(code, label="p", pin=PIN, key=KEY)

    async def test_a_code_of_somebody_deactivated_is_worth_nothing(self) -> None:
        code = await self.make_code()
        await service.deactivate_person(await core_db.value("SELECT id FROM person"))
        with pytest.raises(EnrolmentCodeNotValid):
            await service.enrol(code, label="p", pin=PIN, key=KEY)


class TestPin:
    @pytest.mark.parametrize("pin", ["123456", "987654", "000000"])
    async def test_what_anybody_would_try_first_is_no_pin(self, pin: str) -> None:
        with pytest.raises(PinTooEasy):
            await service.enrol("AAAA-BBBB", label="p", pin=pin, key=KEY)

    async def test_the_pin_opens_a_new_session_and_ends_the_old_one(self) -> None:
        courier = await enter("courier")
        assert courier.tokens.device_id is not None
        again = await service.sign_in_device(courier.tokens.device_id, PIN)
        await service.authenticate(again.access_token)
        with pytest.raises(NotSignedIn):
            await service.authenticate(courier.tokens.access_token)

    async def test_ten_wrong_pins_at_once_lock_it_and_none_more_is_looked_at(self) -> None:
        device_id = (await enter("courier")).tokens.device_id
        assert device_id is not None
        results = await asyncio.gather(
            *(service.sign_in_device(device_id, WRONG_PIN) for _ in range(12)),
            return_exceptions=True,
        )
        assert all(isinstance(one, (SignInFailed, DeviceIsLocked)) for one in results)
        assert await locked_state(device_id) == "locked"
        with pytest.raises(DeviceIsLocked):
            await service.sign_in_device(device_id, PIN)

    async def test_a_right_pin_forgives_nine_wrong_ones(self) -> None:
        device_id = (await enter("courier")).tokens.device_id
        assert device_id is not None
        for _ in range(9):
            with pytest.raises(SignInFailed):
                await service.sign_in_device(device_id, WRONG_PIN)
        await service.sign_in_device(device_id, PIN)
        assert await core_db.value("SELECT pin_failures FROM device") == 0
        assert await locked_state(device_id) == "active"

    async def test_a_locked_phone_still_hands_in_what_it_has_but_is_not_renewed(self) -> None:
        courier = await enter("courier")
        await core_db.execute("UPDATE device SET state = 'locked'")
        await service.authenticate(courier.tokens.access_token)
        with pytest.raises(NotSignedIn):
            await service.refresh(courier.tokens.refresh_token)

    async def test_an_unknown_device_looks_like_a_wrong_pin(self) -> None:
        with pytest.raises(SignInFailed):
            await service.sign_in_device(uuid4(), PIN)


class TestRefresh:
    async def test_each_use_gives_the_next_pair_and_the_old_access_lives_out(self) -> None:
        first = (await enter("admin")).tokens
        second = await service.refresh(first.refresh_token)
        third = await service.refresh(second.refresh_token)
        for token in (first, second, third):
            await service.authenticate(token.access_token)
        assert len({first.refresh_token, second.refresh_token, third.refresh_token}) == 3

    async def test_a_retry_within_the_grace_gets_the_same_pair(self, clock: Clock) -> None:
        first = (await enter("admin")).tokens
        second = await service.refresh(first.refresh_token)
        clock.advance(timedelta(seconds=29))
        assert await service.refresh(first.refresh_token) == second

    async def test_a_lost_answer_may_be_asked_for_again_days_later(self, clock: Clock) -> None:
        first = (await enter("courier")).tokens
        lost = await service.refresh(first.refresh_token)
        for _ in range(2):
            clock.advance(timedelta(days=9))
            again = await service.refresh(first.refresh_token)
            assert (again.refresh_token, again.access_token) == (
                lost.refresh_token,
                lost.access_token,
            )
            assert again.access_expires_at > clock.now() + timedelta(minutes=9)
            assert again.refresh_expires_at > clock.now() + timedelta(days=29)
        await service.authenticate(again.access_token)
        await service.refresh(again.refresh_token)

    @pytest.mark.parametrize("by", ["access", "refresh"])
    async def test_a_stolen_token_ends_the_session_once_its_successor_was_used(
        self, clock: Clock, by: str
    ) -> None:
        stolen = (await enter("courier")).tokens
        await service.refresh(stolen.refresh_token)
        clock.advance(timedelta(days=3))
        kept = await service.refresh(stolen.refresh_token)
        if by == "access":
            await service.authenticate(kept.access_token)
        else:
            kept = await service.refresh(kept.refresh_token)
        clock.advance(timedelta(seconds=31))
        with pytest.raises(RefreshTokenReused):
            await service.refresh(stolen.refresh_token)
        with pytest.raises(NotSignedIn):
            await service.authenticate(kept.access_token)
        with pytest.raises(NotSignedIn):
            await service.refresh(kept.refresh_token)

    async def test_a_lost_answer_lasts_as_long_as_the_token_it_was_for(self, clock: Clock) -> None:
        first = (await enter("courier")).tokens
        clock.advance(timedelta(days=29))
        await service.refresh(first.refresh_token)
        clock.advance(timedelta(days=1))
        with pytest.raises(NotSignedIn) as refused:
            await service.refresh(first.refresh_token)
        assert not isinstance(refused.value, RefreshTokenReused)

    async def test_two_at_once_get_the_same_pair(self) -> None:
        first = (await enter("admin")).tokens
        both = await asyncio.gather(*(service.refresh(first.refresh_token) for _ in range(5)))
        assert len({one.refresh_token for one in both}) == 1

    @pytest.mark.parametrize("rotations", [1, 3])
    async def test_a_spent_token_that_comes_back_later_ends_the_session_for_all(
        self, clock: Clock, rotations: int
    ) -> None:
        stolen = newest = (await enter("admin")).tokens
        for _ in range(rotations):
            newest = await service.refresh(newest.refresh_token)
            await service.authenticate(newest.access_token)
        clock.advance(timedelta(seconds=31))
        with pytest.raises(RefreshTokenReused):
            await service.refresh(stolen.refresh_token)
        with pytest.raises(NotSignedIn):
            await service.refresh(newest.refresh_token)
        with pytest.raises(NotSignedIn):
            await service.authenticate(newest.access_token)

    async def test_it_ends_after_thirty_days_without_use(self, clock: Clock) -> None:
        admin = await enter("admin")
        clock.advance(timedelta(days=30))
        with pytest.raises(NotSignedIn):
            await service.refresh(admin.tokens.refresh_token)

    async def test_old_sessions_are_forgotten_and_living_ones_kept(self, clock: Clock) -> None:
        await enter("admin")
        clock.advance(timedelta(days=61))
        alive = await enter("sales")
        assert await service.forget_old_sessions() == 1
        await service.authenticate(alive.tokens.access_token)


class TestRevocation:
    async def test_person_device_and_session_are_out_with_the_next_request(self) -> None:
        by_person, by_device, by_session = [await enter("courier") for _ in range(3)]
        await service.deactivate_person(by_person.id)
        assert by_device.tokens.device_id is not None
        await service.revoke_device(by_device.tokens.device_id, by=Actor.system("test"))
        await service.revoke_session(by_session.tokens.session_id, "signed out")
        for person in (by_person, by_device, by_session):
            with pytest.raises(NotSignedIn):
                await service.authenticate(person.tokens.access_token)
            with pytest.raises(NotSignedIn):
                await service.refresh(person.tokens.refresh_token)

    async def test_an_integration_token_lives_long_and_is_revocable(self, clock: Clock) -> None:
        sales = await enter("sales")
        token = await service.issue_integration_token(sales.id, "shop")
        clock.advance(timedelta(days=400))
        actor = await service.authenticate(token.token)
        assert (actor.role, actor.source) == ("sales", "person")
        await service.revoke_session(token.session_id, "revoked")
        with pytest.raises(NotSignedIn):
            await service.authenticate(token.token)
