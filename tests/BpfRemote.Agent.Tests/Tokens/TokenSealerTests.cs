using System.Security.Cryptography;
using BpfRemote.Agent.Tokens;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace BpfRemote.Agent.Tests.Tokens;

public sealed class TokenSealerTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("bpfremote-tokens-");
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UnixEpoch + TimeSpan.FromDays(20_000));

    public void Dispose() => _directory.Delete(recursive: true);

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(100)]
    [InlineData(TokenSealer.MaxPayload)]
    public void What_was_sealed_opens_again(int size)
    {
        TokenSealer sealer = NewSealer();
        byte[] payload = RandomNumberGenerator.GetBytes(size);

        string token = sealer.Seal(TokenPurpose.Continuation, payload);

        Assert.True(token.Length <= TokenSealer.MaxLength);
        Assert.Matches("^[A-Za-z0-9_-]+$", token);
        Assert.Equal(payload, Open(sealer, token));
    }

    [Fact]
    public void Every_flipped_bit_is_noticed()
    {
        TokenSealer sealer = NewSealer();
        string token = sealer.Seal(TokenPurpose.Continuation, RandomNumberGenerator.GetBytes(60));

        for (int bit = 0; bit < token.Length * 8; bit++)
        {
            char[] flipped = token.ToCharArray();
            flipped[bit / 8] = (char)(flipped[bit / 8] ^ (1 << (bit % 8)));
            Assert.NotEqual(TokenOpening.Opened, Outcome(sealer, new string(flipped)));
        }
    }

    [Fact]
    public void Changed_version_or_key_id_is_expired_and_the_rest_invalid()
    {
        TokenSealer sealer = NewSealer();
        byte[] token = System.Buffers.Text.Base64Url.DecodeFromChars(sealer.Seal(TokenPurpose.Continuation, new byte[60]));

        for (int i = 0; i < token.Length; i++)
        {
            byte[] changed = [.. token];
            changed[i] ^= 0x10;
            TokenOpening expected = i < 5 ? TokenOpening.Expired : TokenOpening.Invalid;
            Assert.Equal(expected, Outcome(sealer, System.Buffers.Text.Base64Url.EncodeToString(changed)));
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("x")]
    [InlineData("not a token")]
    [InlineData("ümläut")]
    public void Text_that_is_no_token_is_invalid(string text) =>
        Assert.Equal(TokenOpening.Invalid, Outcome(NewSealer(), text));

    [Fact]
    public void Another_spelling_of_the_same_bytes_is_invalid()
    {
        TokenSealer sealer = NewSealer();
        string token = sealer.Seal(TokenPurpose.Continuation, new byte[12]);

        Assert.Equal(TokenOpening.Invalid, Outcome(sealer, token + "="));
        Assert.Equal(TokenOpening.Invalid, Outcome(sealer, token + "=="));
        Assert.Equal(TokenOpening.Invalid, Outcome(sealer, token + " "));
        Assert.Equal(TokenOpening.Invalid, Outcome(sealer, " " + token));
        Assert.Equal(TokenOpening.Invalid, Outcome(sealer, token.Insert(4, "\n")));
    }

    [Fact]
    public void Longer_than_a_token_can_be_is_invalid() =>
        Assert.Equal(TokenOpening.Invalid, Outcome(NewSealer(), new string('A', TokenSealer.MaxLength + 1)));

    [Fact]
    public void A_token_for_one_purpose_does_not_serve_another()
    {
        TokenSealer sealer = NewSealer();

        Assert.Equal(TokenOpening.Invalid, Outcome(sealer, sealer.Seal(TokenPurpose.Page, new byte[12])));
    }

    [Fact]
    public void The_same_payload_is_never_sealed_the_same_way()
    {
        TokenSealer sealer = NewSealer();

        Assert.NotEqual(sealer.Seal(TokenPurpose.Continuation, [1]), sealer.Seal(TokenPurpose.Continuation, [1]));
    }

    [Fact]
    public void Tokens_open_after_a_restart()
    {
        string token = NewSealer().Seal(TokenPurpose.Continuation, [1, 2, 3]);

        Assert.Equal([1, 2, 3], Open(NewSealer(), token));
    }

    [Fact]
    public void Tokens_of_another_key_are_expired()
    {
        string token = NewSealer().Seal(TokenPurpose.Continuation, [1, 2, 3]);
        File.Delete(KeyFile);

        Assert.Equal(TokenOpening.Expired, Outcome(NewSealer(), token));
    }

    [Theory]
    [InlineData(1, true)]
    [InlineData(23, true)]
    [InlineData(47, true)]
    [InlineData(49, false)]
    public void A_token_lives_one_to_two_days(int hours, bool opens)
    {
        TokenSealer sealer = NewSealer();
        string token = sealer.Seal(TokenPurpose.Continuation, [1]);

        _time.Advance(TimeSpan.FromHours(hours));
        _ = sealer.Seal(TokenPurpose.Continuation, [2]);

        Assert.Equal(opens ? TokenOpening.Opened : TokenOpening.Expired, Outcome(sealer, token));
    }

    [Fact]
    public void A_key_two_rotations_back_is_gone()
    {
        TokenSealer sealer = NewSealer();
        string token = sealer.Seal(TokenPurpose.Continuation, [1]);
        for (int day = 0; day < 2; day++)
        {
            _time.Advance(TimeSpan.FromHours(24));
            _ = sealer.Seal(TokenPurpose.Continuation, [2]);
        }

        Assert.Equal(TokenOpening.Expired, Outcome(sealer, token));
    }

    [Fact]
    public void Two_agents_on_one_directory_open_each_others_tokens_over_rotations()
    {
        TokenSealer old = NewSealer();
        TokenSealer replacement = NewSealer();
        _time.Advance(TimeSpan.FromHours(25));

        string fromReplacement = replacement.Seal(TokenPurpose.Continuation, [1]);
        string fromOld = old.Seal(TokenPurpose.Continuation, [2]);

        Assert.Equal([1], Open(old, fromReplacement));
        Assert.Equal([2], Open(replacement, fromOld));
    }

    [Fact]
    public void The_key_file_is_for_its_owner_only()
    {
        _ = NewSealer();

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, new FileInfo(KeyFile).UnixFileMode);
    }

    [Fact]
    public void A_damaged_key_file_is_replaced()
    {
        File.WriteAllText(KeyFile, "damaged");
        TokenSealer sealer = NewSealer();

        Assert.Equal([7], Open(sealer, sealer.Seal(TokenPurpose.Continuation, [7])));
    }

    [Fact]
    public void Many_threads_seal_and_open_at_once()
    {
        TokenSealer sealer = NewSealer();

        Parallel.For(0, 20_000, i =>
        {
            byte[] payload = BitConverter.GetBytes(i);
            Assert.Equal(payload, Open(sealer, sealer.Seal(TokenPurpose.Continuation, payload)));
        });
    }

    [Fact]
    public void A_million_random_texts_never_open_and_never_throw()
    {
        TokenSealer sealer = NewSealer();
        string real = sealer.Seal(TokenPurpose.Continuation, new byte[60]);
        const string Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

        Parallel.For(0, 8, part =>
        {
            Random random = new(part);
            for (int i = 0; i < 125_000; i++)
            {
                // Half of them begin as a real token does, so that they come as far as the cipher.
                char[] text = random.GetItems<char>(Alphabet, random.Next(1, 200));
                real.AsSpan(0, i % 2 == 0 ? 0 : Math.Min(text.Length, 7)).CopyTo(text);
                Assert.NotEqual(TokenOpening.Opened, Outcome(sealer, new string(text)));
            }
        });
    }

    private string KeyFile => Path.Combine(_directory.FullName, "token.keys");

    private static TokenOpening Outcome(TokenSealer sealer, string token) =>
        sealer.TryOpen(TokenPurpose.Continuation, token, new byte[TokenSealer.MaxPayload], out _);

    private static byte[] Open(TokenSealer sealer, string token)
    {
        byte[] payload = new byte[TokenSealer.MaxPayload];
        Assert.Equal(TokenOpening.Opened, sealer.TryOpen(TokenPurpose.Continuation, token, payload, out int length));
        return payload[..length];
    }

    private TokenSealer NewSealer() => new(new TokenKeyRing(_directory.FullName, _time, NullLogger<TokenKeyRing>.Instance));
}
