package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is a server that runs until stop.
type process struct {
	name string
	log  string // file with all its output
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended; exit is set then
	exit error
}

// startProcess starts cmd with its output appended to a file, and returns when
// ready says so.
func startProcess(ctx context.Context, name, log string, cmd *exec.Cmd, ready func(context.Context) error) (*process, error) {
	out, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{name: name, log: log, cmd: cmd, done: make(chan struct{})}
	go func() {
		p.exit = cmd.Wait()
		close(p.done)
	}()
	if err := p.await(ctx, ready); err != nil {
		return nil, errors.Join(err, p.stop(syscall.SIGKILL))
	}
	return p, nil
}

// await asks until the answer is nil, the process ends, or half a minute is over.
func (p *process) await(ctx context.Context, ready func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		err := ready(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-p.done:
			return fmt.Errorf("%s ended at once: %w\n%s", p.name, p.exit, p.tail())
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready: %w\n%s", p.name, err, p.tail())
		case <-tick.C:
		}
	}
}

// stop ends the process with a signal and waits; one that does not end within
// half a minute is killed. Being ended by our signal is no failure.
func (p *process) stop(signal syscall.Signal) error {
	if err := p.cmd.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-p.done:
	case <-time.After(30 * time.Second):
		err := fmt.Errorf("%s did not stop within 30 s", p.name)
		return errors.Join(err, p.cmd.Process.Kill())
	}
	var exit *exec.ExitError
	if errors.As(p.exit, &exit) && exit.Sys().(syscall.WaitStatus).Signaled() {
		return nil
	}
	if p.exit != nil {
		return fmt.Errorf("%s ended with %w\n%s", p.name, p.exit, p.tail())
	}
	return nil
}

// tail gives the end of what the process printed.
func (p *process) tail() string {
	text, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-2000):])
}

// memory reads one of the kernel's numbers about the process, in bytes: VmRSS,
// VmHWM (its peak) and their like.
func (p *process) memory(field string) (int64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		if value, ok := strings.CutPrefix(line, field+":"); ok {
			kib, err := strconv.ParseInt(strings.Fields(value)[0], 10, 64)
			return kib << 10, err
		}
	}
	return 0, fmt.Errorf("the kernel tells no %s", field)
}

// resetPeak makes VmHWM count from now.
func (p *process) resetPeak() error {
	return os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", p.cmd.Process.Pid), []byte("5"), 0)
}

// freeAddr finds a port that nobody listens on.
func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}
