using System.Text;

namespace BpfRemote.Btf.Tests;

public sealed class LongTextTests
{
    private const int Length = 1 << 20;

    [Fact]
    public void A_text_longer_than_a_buffers_largest_piece_is_written_in_pieces()
    {
        BtfWriter w = new();
        uint character = w.Int("char", 1, BtfIntEncoding.Signed);
        uint type = w.Array(character, Length, character);
        BtfValueLayout layout = w.Parse().Layout(type);
        byte[] value = new byte[Length];
        value.AsSpan(0, Length - 1).Fill((byte)'x');
        value[Length / 2] = (byte)'"';
        string expected = $"\"{Encoding.ASCII.GetString(value, 0, Length - 1).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";
        NarrowWriter json = new(), text = new();

        new BtfJsonFormat(layout).Write(json, value);
        new BtfTextFormat(layout).Write(text, value);

        Assert.Equal(expected, Encoding.ASCII.GetString(json.Written));
        Assert.Equal(expected, Encoding.ASCII.GetString(text.Written));
    }

    [Fact]
    public void Names_longer_than_a_piece_are_written_in_pieces()
    {
        BtfWriter w = new();
        uint type = w.Struct("s", 0, [.. Enumerable.Range(0, 50).Select(i => ($"{new string('n', 4000)}{i}", w.Struct("", 0), 0u))]);
        BtfValueLayout layout = w.Parse().Layout(type);
        NarrowWriter json = new();

        new BtfJsonFormat(layout).Write(json, []);

        Assert.Equal(Rendered.Json(layout), Encoding.ASCII.GetString(json.Written));
        Assert.True(json.Written.Length > 200_000);
    }
}
