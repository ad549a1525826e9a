; Dot product of two vectors.
; The flag reassoc lets LLVM add in another order, which is what a vector does: the last digits may differ from a loop's.

define double @dot_f64(ptr noalias readonly %x, ptr noalias readonly %y, i64 %n) {
entry:
  %some = icmp sgt i64 %n, 0
  br i1 %some, label %loop, label %done

loop:
  %i = phi i64 [ 0, %entry ], [ %next, %loop ]
  %sum = phi double [ 0.0, %entry ], [ %added, %loop ]
  %xi = getelementptr inbounds double, ptr %x, i64 %i
  %yi = getelementptr inbounds double, ptr %y, i64 %i
  %a = load double, ptr %xi, align 8
  %b = load double, ptr %yi, align 8
  %product = fmul reassoc contract double %a, %b
  %added = fadd reassoc contract double %sum, %product
  %next = add nuw nsw i64 %i, 1
  %more = icmp slt i64 %next, %n
  br i1 %more, label %loop, label %done

done:
  %result = phi double [ 0.0, %entry ], [ %added, %loop ]
  ret double %result
}

define float @dot_f32(ptr noalias readonly %x, ptr noalias readonly %y, i64 %n) {
entry:
  %some = icmp sgt i64 %n, 0
  br i1 %some, label %loop, label %done

loop:
  %i = phi i64 [ 0, %entry ], [ %next, %loop ]
  %sum = phi float [ 0.0, %entry ], [ %added, %loop ]
  %xi = getelementptr inbounds float, ptr %x, i64 %i
  %yi = getelementptr inbounds float, ptr %y, i64 %i
  %a = load float, ptr %xi, align 4
  %b = load float, ptr %yi, align 4
  %product = fmul reassoc contract float %a, %b
  %added = fadd reassoc contract float %sum, %product
  %next = add nuw nsw i64 %i, 1
  %more = icmp slt i64 %next, %n
  br i1 %more, label %loop, label %done

done:
  %result = phi float [ 0.0, %entry ], [ %added, %loop ]
  ret float %result
}
