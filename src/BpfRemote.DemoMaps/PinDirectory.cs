namespace BpfRemote.DemoMaps;

/// <summary>A directory of pins, which go when this object is disposed of, and the directory with them if it was made here.</summary>
internal sealed class PinDirectory : IDisposable
{
    private readonly string _path;
    private readonly bool _made;
    private readonly List<string> _pins = [];

    /// <param name="path">Absolute, on a bpffs.</param>
    internal PinDirectory(string path)
    {
        _path = path;
        _made = !Directory.Exists(path);
        Directory.CreateDirectory(path);
    }

    /// <summary>Pins the map under its name and returns the path.</summary>
    internal string Pin(WritableMap map)
    {
        string pin = Path.Combine(_path, map.Name);
        map.Pin(pin);
        _pins.Add(pin);
        return pin;
    }

    public void Dispose()
    {
        foreach (string pin in _pins)
        {
            File.Delete(pin);
        }

        if (_made && !Directory.EnumerateFileSystemEntries(_path).Any())
        {
            Directory.Delete(_path);
        }
    }
}
