namespace BpfRemote.Client.Identity;

/// <summary>A file of the caller's that says who it is or whom it trusts; read anew each time, since such files are replaced.</summary>
/// <param name="what">What it is called: the option's name in words.</param>
/// <param name="path">Its path.</param>
internal sealed class IdentityFile(string what, string path)
{
    // A bundle of all public roots has some 200 KB.
    private const int MaxBytes = 4 << 20;

    /// <exception cref="IdentityException">It cannot be read.</exception>
    public string ReadText()
    {
        try
        {
            using FileStream file = File.OpenRead(path);
            using StreamReader reader = new(file);
            return file.Length <= MaxBytes ? reader.ReadToEnd() : throw Error($"has {file.Length} bytes, which is far too many");
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            throw Error("does not exist", error);
        }
        catch (UnauthorizedAccessException error)
        {
            throw Error(Directory.Exists(path) ? "is a directory" : "may not be read by this user", error);
        }
        catch (Exception error) when (error is IOException or NotSupportedException)
        {
            throw Error($"cannot be read ({error.Message.TrimEnd('.')})", error);
        }
    }

    /// <summary>An error that names the file.</summary>
    /// <param name="problem">What is wrong with it, as a predicate.</param>
    /// <param name="cause">What it was noticed by.</param>
    public IdentityException Error(string problem, Exception? cause = null) =>
        new($"the {what} '{path}' {problem}", $"Check the {what}.", cause);

    /// <summary>The same error of a file that was good before, and so may be again.</summary>
    public static IdentityException MaybePassing(IdentityException error) => new(error.Message, error.Advice, error) { MayPass = true };
}
